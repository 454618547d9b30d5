// Pillow's resize for AVX2.
//
// Weights of 22 bits are multiplied as two halves of 11 bits, which fit the 16-bit multiply-add.
#pragma once
#include <immintrin.h>

#include "avx2_pixels.hpp"
#include "resizing.hpp"

namespace {

struct Avx2Resizing : PlainResizing {
  static constexpr int HALF_BITS = WEIGHT_BITS / 2;

  // The rounded sums of pairs of levels.
  static __m256i sums(__m256i pairs, __m256i upper, __m256i lower) {
    const __m256i rest = _mm256_add_epi32(_mm256_madd_epi16(pairs, lower),
                                          _mm256_set1_epi32(HALF_WEIGHT));
    return _mm256_srli_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, upper),
                                              _mm256_srli_epi32(rest, HALF_BITS)), HALF_BITS);
  }

  template <int C>
  static void across(const uint8_t *in, const uint8_t *end, uint8_t *out, const Taps &taps, int i,
                     int count) {
    const auto load = [](const int32_t *from) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
    };
    const Pairs<C> pairs;
    for (; i + 8 <= count; i += 8) {
      alignas(32) int32_t place[8];
      const __m256i first = _mm256_mullo_epi32(load(taps.first.at(i)), _mm256_set1_epi32(C));
      _mm256_store_si256(reinterpret_cast<__m256i *>(place), first);
      const __m256i third = load(taps.weight[2].at(i));
      if (!_mm256_testz_si256(third, third) || in + place[7] + 8 > end) {
        PlainResizing::across<C>(in, end, out, taps, i, i + 8);
        continue;
      }
      const __m256i u = load(taps.weight[0].at(i)), v = load(taps.weight[1].at(i));
      const __m256i high = upper_parts<HALF_BITS>(u, v), low = lower_parts<HALF_BITS>(u, v);
      if constexpr (C == 1) {
        pairs.store_grey(out + i, sums(pairs.grey(in, place), high, low));
      } else {
        __m256i levels[4];
        for (int k = 0; k < 4; ++k)
          levels[k] = sums(pairs.colours(in, place, k), pairs.spread(high, k), pairs.spread(low, k));
        pairs.store_colours(out + i * C, levels);
      }
    }
    PlainResizing::across<C>(in, end, out, taps, i, count);
  }

  static void down(const uint8_t *a, const uint8_t *b, uint8_t *out, int32_t u, int32_t v,
                   int64_t i, int64_t line) {
    const __m256i first = _mm256_set1_epi32(u), second = _mm256_set1_epi32(v);
    const __m256i high = upper_parts<HALF_BITS>(first, second);
    const __m256i low = lower_parts<HALF_BITS>(first, second);
    const __m256i zero = _mm256_setzero_si256();
    const auto load = [](const uint8_t *from) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
    };
    for (; i + 32 <= line; i += 32) {
      const __m256i one = load(a + i), other = load(b + i);
      const __m256i left = _mm256_unpacklo_epi8(one, other);
      const __m256i right = _mm256_unpackhi_epi8(one, other);
      const auto words = [&](__m256i low_words, __m256i high_words) {
        return _mm256_packus_epi32(sums(low_words, high, low), sums(high_words, high, low));
      };
      const __m256i levels = _mm256_packus_epi16(
          words(_mm256_unpacklo_epi8(left, zero), _mm256_unpackhi_epi8(left, zero)),
          words(_mm256_unpacklo_epi8(right, zero), _mm256_unpackhi_epi8(right, zero)));
      _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + i), levels);
    }
    PlainResizing::down(a, b, out, u, v, i, line);
  }
};

}  // namespace
