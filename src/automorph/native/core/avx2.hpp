// Kernels written by hand for AVX2.
#pragma once
#include <immintrin.h>

#include "plain.hpp"

namespace {

struct Avx2 : Plain {
  // Sixteen tables of 16 entries, chained: `pshufb` gives 0 for indices with the top bit set, so
  // the differences of neighbouring tables add up (by exclusive or) to the entry that is meant.
  static void look_up_all(const uint8_t *in, uint8_t *out, int64_t bytes, const Table &table) {
    __m256i part[16];
    for (int k = 0; k < 16; ++k)
      part[k] = _mm256_broadcastsi128_si256(
          _mm_load_si128(reinterpret_cast<const __m128i *>(table.at + 16 * k)));
    for (int k = 15; k > 0; --k)
      if (k != 8) part[k] = _mm256_xor_si256(part[k], part[k - 1]);
    const __m256i sixteen = _mm256_set1_epi8(16), top = _mm256_set1_epi8(-128);
    int64_t i = 0;
    for (; i + 32 <= bytes; i += 32) {
      __m256i lower = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(in + i));
      __m256i upper = _mm256_xor_si256(lower, top);
      __m256i sum = _mm256_xor_si256(_mm256_shuffle_epi8(part[0], lower),
                                     _mm256_shuffle_epi8(part[8], upper));
      for (int k = 1; k < 8; ++k) {
        lower = _mm256_subs_epi8(lower, sixteen);  // saturates: what is below 0 stays there
        upper = _mm256_subs_epi8(upper, sixteen);
        sum = _mm256_xor_si256(sum, _mm256_shuffle_epi8(part[k], lower));
        sum = _mm256_xor_si256(sum, _mm256_shuffle_epi8(part[8 + k], upper));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + i), sum);
    }
    Plain::look_up_all(in + i, out + i, bytes - i, table);
  }
};

}  // namespace
