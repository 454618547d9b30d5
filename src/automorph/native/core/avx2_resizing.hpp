// Pillow's resize along x for AVX2.
#pragma once
#include <immintrin.h>

#include "resizing.hpp"

namespace {

struct Avx2Resizing : PlainResizing {
  template <int C>
  static void across(const uint8_t *in, const uint8_t *end, uint8_t *out, const Taps *taps,
                     int count) {
    if constexpr (C == 1) {
      PlainResizing::across<C>(in, end, out, taps, count);
    } else {
      const char n = -1;
      const __m128i apart = C == 4 ? _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, n, n, n, n, n, n, n, n)
                                   : _mm_setr_epi8(0, 1, 2, n, 3, 4, 5, n, n, n, n, n, n, n, n, n);
      const __m128i half = _mm_set1_epi32(HALF_WEIGHT);
      for (int i = 0; i < count; ++i, out += C) {
        const Taps &tap = taps[i];
        const uint8_t *from = in + tap.first * C;
        if (tap.weight[2] != 0 || i + 1 == count || from + 8 > end) {
          PlainResizing::across<C>(in, end, out, &tap, 1);
          continue;
        }
        const __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(from));
        const __m256i pair = _mm256_cvtepu8_epi32(_mm_shuffle_epi8(both, apart));
        const __m256i weights = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_set1_epi32(tap.weight[0])), _mm_set1_epi32(tap.weight[1]),
            1);
        const __m256i parts = _mm256_mullo_epi32(pair, weights);
        const __m128i sum = _mm_add_epi32(
            _mm_add_epi32(_mm256_castsi256_si128(parts), _mm256_extracti128_si256(parts, 1)), half);
        const __m128i whole = _mm_srai_epi32(sum, WEIGHT_BITS);
        const __m128i words = _mm_packus_epi32(whole, whole);
        const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        std::memcpy(out, &pixel, 4);  // the next pixel overwrites the fourth byte of three
      }
    }
  }
};

}  // namespace
