// Pairs of neighbouring pixels and blocks of eight results, for AVX2.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace {

// Pairs of numbers, in the halves of 32-bit lanes: what is above their `BITS` lower bits.
template <int BITS>
inline __m256i upper_parts(__m256i left, __m256i right) {
  return _mm256_or_si256(_mm256_srli_epi32(left, BITS),
                         _mm256_slli_epi32(_mm256_srli_epi32(right, BITS), 16));
}

// The same of their lower bits.
template <int BITS>
inline __m256i lower_parts(__m256i left, __m256i right) {
  const __m256i low = _mm256_set1_epi32((1 << BITS) - 1);
  return _mm256_or_si256(_mm256_and_si256(left, low),
                         _mm256_slli_epi32(_mm256_and_si256(right, low), 16));
}

// Channels of eight pixels and of their neighbours `beside` bytes to the right, as words in the
// halves of 32-bit lanes: grey levels in one register, colours in four, each with those of pixel k
// in the lower half, and with those of the one four pixels further in the upper half.
template <int C>
class Pairs {
 public:
  explicit Pairs(bool same = false) : shuffle_(places(same ? 0 : C)), same_(same) {}

  __m256i grey(const uint8_t *in, const int32_t *place) const {
    alignas(16) uint16_t both[8];
    for (int k = 0; k < 8; ++k) std::memcpy(both + k, in + place[k], 2);
    for (int k = 0; same_ && k < 8; ++k) both[k] = uint16_t((both[k] & 255) * 257);
    return _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i *>(both)));
  }

  // Reads eight bytes from each of two places.
  __m256i colours(const uint8_t *in, const int32_t *place, int k) const {
    const auto load = [&](int32_t at) {
      return _mm_loadl_epi64(reinterpret_cast<const __m128i *>(in + at));
    };
    return _mm256_shuffle_epi8(_mm256_set_m128i(load(place[k + 4]), load(place[k])), shuffle_);
  }

  // Numbers of eight pixels in the lanes of `colours`.
  static __m256i spread(__m256i numbers, int k) {
    return _mm256_permutevar8x32_epi32(
        numbers, _mm256_setr_epi32(k, k, k, k, k + 4, k + 4, k + 4, k + 4));
  }

  static void store_grey(uint8_t *out, __m256i levels) {
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(levels),
                                           _mm256_extracti128_si256(levels, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i *>(out), _mm_packus_epi16(words, words));
  }

  static void store_colours(uint8_t *out, const __m256i *levels) {
    const __m256i bytes = _mm256_packus_epi16(_mm256_packus_epi32(levels[0], levels[1]),
                                              _mm256_packus_epi32(levels[2], levels[3]));
    if constexpr (C == 4) {
      _mm256_storeu_si256(reinterpret_cast<__m256i *>(out), bytes);
    } else {
      const char n = -1;
      const __m128i packed = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, n, n, n, n);
      const __m128i first = _mm_shuffle_epi8(_mm256_castsi256_si128(bytes), packed);
      const __m128i second = _mm_shuffle_epi8(_mm256_extracti128_si256(bytes, 1), packed);
      _mm_storeu_si128(reinterpret_cast<__m128i *>(out), first);
      _mm_storel_epi64(reinterpret_cast<__m128i *>(out + 12), second);
      const int end = _mm_extract_epi32(second, 2);
      std::memcpy(out + 20, &end, 4);
    }
  }

 private:
  static __m256i places(int beside) {
    const char n = -1, r = char(beside);
    const char last = C == 4 ? 3 : n, last_beside = C == 4 ? char(r + 3) : n;
    return _mm256_broadcastsi128_si256(_mm_setr_epi8(0, n, r, n, 1, n, char(r + 1), n, 2, n,
                                                     char(r + 2), n, last, n, last_beside, n));
  }

  const __m256i shuffle_;
  const bool same_;
};

}  // namespace
