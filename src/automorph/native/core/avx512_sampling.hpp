// Nearest pixels at given places for AVX-512 with VBMI.
#pragma once
#include "avx2_sampling.hpp"
#include "avx512.hpp"

namespace {

struct Avx512Sampling : Avx2Sampling {
  // Gathers 16 pixels at a time.
  template <int C>
  static void sample_nearest(const View &in, uint8_t *out, const Line &line, const Fill *fill) {
    const int64_t size = int64_t(in.height) * in.width * C;
    if (C == 1 || size < 4 || size >= int64_t(1) << 31)
      return PlainSampling::sample_nearest<C>(in, out, line, fill);
    static constexpr Bytes packed = bytes([](int i) { return (i / C * 4 + i % C) % 64; });
    const __m512i stride = _mm512_set1_epi32(in.width * C), pixel = _mm512_set1_epi32(C);
    const __m512i last = _mm512_set1_epi32(int(size - 4)), pack = _mm512_load_si512(packed.v);
    int32_t colour = 0;
    if (fill) std::memcpy(&colour, fill->run, C);
    const __m512i empty = _mm512_set1_epi32(colour);
    for (int i = 0; i < in.width; i += 16, out += 16 * C) {
      const int count = in.width - i < 16 ? in.width - i : 16;
      const auto known = __mmask16((1u << count) - 1);
      const Axis x = axis(line.x + i, known, in.width), y = axis(line.y + i, known, in.height);
      // Four bytes are read, from one place earlier where they would pass the end.
      const __m512i wanted = _mm512_add_epi32(_mm512_mullo_epi32(y.whole, stride),
                                              _mm512_mullo_epi32(x.whole, pixel));
      const __m512i place = _mm512_min_epi32(wanted, last);
      const __mmask16 seen = fill ? known & x.inside & y.inside : known;
      __m512i v = _mm512_mask_i32gather_epi32(empty, seen, place, in.data, 1);
      const __m512i excess = _mm512_slli_epi32(_mm512_sub_epi32(wanted, place), 3);
      v = _mm512_mask_srlv_epi32(v, seen, v, excess);
      store_pixels<C>(out, _mm512_permutexvar_epi8(pack, v), count);
    }
  }

 private:
  // Columns or rows of 16 places, with replicated edges, and which of them lie inside.
  struct Axis {
    __m512i whole;
    __mmask16 inside;
  };

  static Axis axis(const double *at, __mmask16 known, int side) {
    const __m512d none = _mm512_setzero_pd(), end = _mm512_set1_pd(side);
    const __m512d last = _mm512_set1_pd(side - 1.0);
    __m256i whole[2];
    __mmask8 inside[2];
    for (int k = 0; k < 2; ++k) {
      const __m512d v = _mm512_maskz_loadu_pd(__mmask8(known >> 8 * k), at + 8 * k);
      inside[k] = _mm512_cmp_pd_mask(v, none, _CMP_GE_OQ) & _mm512_cmp_pd_mask(v, end, _CMP_LT_OQ);
      whole[k] = _mm512_cvttpd_epi32(_mm512_min_pd(_mm512_max_pd(v, none), last));
    }
    return {_mm512_inserti64x4(_mm512_castsi256_si512(whole[0]), whole[1], 1),
            __mmask16(inside[0] | inside[1] << 8)};
  }
};

}  // namespace
