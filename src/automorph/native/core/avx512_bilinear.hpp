// Hand-written bilinear resampling for AVX-512 with VBMI.
#pragma once
#include "avx512.hpp"

namespace {

// Sixteen doubles in two registers.
struct Doubles {
  __m512d low, high;

  static Doubles all(double v) { return {_mm512_set1_pd(v), _mm512_set1_pd(v)}; }
  static Doubles of(__m512i whole) {
    return {_mm512_cvtepi32_pd(_mm512_castsi512_si256(whole)),
            _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(whole, 1))};
  }
  Doubles floor() const {
    constexpr int down = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
    return {_mm512_roundscale_pd(low, down), _mm512_roundscale_pd(high, down)};
  }
  // Truncates to integers.
  __m512i cut() const {
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(low)),
                              _mm512_cvttpd_epi32(high), 1);
  }
  // A mask of the lanes with 0 <= v < limit.
  __mmask16 within(double limit) const {
    const __m512d zero = _mm512_setzero_pd(), end = _mm512_set1_pd(limit);
    const __mmask8 l = _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(low, end, _CMP_LT_OQ), low, zero,
                                               _CMP_GE_OQ);
    const __mmask8 h = _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(high, end, _CMP_LT_OQ), high,
                                               zero, _CMP_GE_OQ);
    return __mmask16(l | h << 8);
  }
};

inline Doubles operator+(Doubles a, Doubles b) {
  return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
}
inline Doubles operator-(Doubles a, Doubles b) {
  return {_mm512_sub_pd(a.low, b.low), _mm512_sub_pd(a.high, b.high)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}

// Bilinear interpolation of 16 pixels at a time, one pixel per 32-bit lane. Like `Window`, but
// every pixel needs two neighbours on each of two lines, and the arithmetic is Pillow's, in double
// precision.
template <int C>
struct SmoothWindow {
  const View &in;
  const double *const m;
  const int64_t stride;
  const int depth, top_most;
  const __m512i empty;

  SmoothWindow(const View &view, const Affine &map, const Fill &fill)
      : in(view),
        m(map.m),
        stride(int64_t(view.width) * C),
        depth(reach(map.m[3])),
        top_most(view.height > depth ? view.height - depth : 0),
        empty(_mm512_permutexvar_epi8(_mm512_set1_epi32(0x03020100),
                                      _mm512_load_si512(fill.run))) {}

  // An upper bound on the pixels (or lines) that 16 pixels and their neighbours touch.
  static int reach(double step) { return int(std::fabs(step) * 15.0) + 3; }

  static bool fits(const Affine &map) {
    return std::fabs(map.m[0]) < 4.0 && std::fabs(map.m[3]) < 4.0 && reach(map.m[0]) * C <= 64;
  }

  // The minimum of 16 monotonic numbers.
  static int least(__m512i v) {
    const int first = _mm_cvtsi128_si32(_mm512_castsi512_si128(v));
    const int last = _mm_extract_epi32(_mm512_extracti32x4_epi32(v, 3), 3);
    return first < last ? first : last;
  }

  // Computes the first `known` of the pixels [x, x + 16) of line y.
  void pixels(uint8_t *out, int x, int y, int known) const {
    const Doubles numbers = {_mm512_setr_pd(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5),
                             _mm512_setr_pd(8.5, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5)};
    const Doubles xc = Doubles::all(x) + numbers, half = Doubles::all(0.5);
    const double yc = y + 0.5;
    const Doubles u = Doubles::all(m[0]) * xc + Doubles::all(m[1] * yc) + Doubles::all(m[2]);
    const Doubles v = Doubles::all(m[3]) * xc + Doubles::all(m[4] * yc) + Doubles::all(m[5]);
    const __mmask16 inside = u.within(in.width) & v.within(in.height);
    const Doubles left = (u - half).floor(), top = (v - half).floor();
    const Doubles dx = u - half - left, dy = v - half - top;
    const __m512i x0 = left.cut(), y0 = top.cut();
    const int corner_x = clamp(least(x0), 0, in.width - 1);
    const int corner_y = clamp(least(y0), 0, top_most);
    const Neighbours near = gather(x0, y0, corner_x, corner_y);
    __m512i mixed = _mm512_setzero_si512();
    for (int c = 0; c < C; ++c) {
      const auto channel = [c](__m512i pixel) {
        return _mm512_and_si512(_mm512_srli_epi32(pixel, unsigned(8 * c)), _mm512_set1_epi32(255));
      };
      const auto along = [&](const __m512i *pair) {
        const __m512i a = channel(pair[0]), b = channel(pair[1]);
        return Doubles::of(a) + Doubles::of(_mm512_sub_epi32(b, a)) * dx;
      };
      const Doubles upper = along(near.upper), lower = along(near.lower);
      const __m512i value = (upper + (lower - upper) * dy).cut();
      mixed = _mm512_or_si512(mixed, _mm512_slli_epi32(value, unsigned(8 * c)));
    }
    static constexpr Bytes packed = bytes([](int i) { return (i / C * 4 + i % C) % 64; });
    mixed = _mm512_mask_mov_epi32(empty, inside, mixed);
    store_pixels<C>(out, _mm512_permutexvar_epi8(_mm512_load_si512(packed.v), mixed), known);
  }

  // Left and right neighbours on the upper and lower lines; edges are replicated.
  struct Neighbours {
    __m512i upper[2], lower[2];
  };

  Neighbours gather(__m512i x0, __m512i y0, int corner_x, int corner_y) const {
    const __m512i one = _mm512_set1_epi32(1), zero = _mm512_setzero_si512();
    const auto lane = [](__m512i v) {  // broadcast the lowest byte of each lane
      return _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0));
    };
    const auto place = [&](__m512i column) {
      __m512i p = _mm512_sub_epi32(column, _mm512_set1_epi32(corner_x));
      if (C == 3) p = _mm512_add_epi32(p, _mm512_add_epi32(p, p));
      if (C == 4) p = _mm512_slli_epi32(p, 2);
      return _mm512_add_epi8(lane(p), _mm512_set1_epi32(0x03020100));
    };
    const __m512i left = place(_mm512_max_epi32(x0, zero));
    const __m512i right = place(
        _mm512_min_epi32(_mm512_add_epi32(x0, one), _mm512_set1_epi32(in.width - 1)));
    const auto line_of = [&](__m512i row) {
      return lane(_mm512_sub_epi32(row, _mm512_set1_epi32(corner_y)));
    };
    __m512i upper = line_of(_mm512_max_epi32(y0, zero));
    __m512i lower = line_of(
        _mm512_min_epi32(_mm512_add_epi32(y0, one), _mm512_set1_epi32(in.height - 1)));
    Neighbours near = {{zero, zero}, {zero, zero}};
    const uint8_t *line = in.data + corner_y * stride + corner_x * C;
    const bool near_end = line + (depth - 1) * stride + 64 > in.end;
    for (int k = 0; k < depth; ++k, line += stride) {
      const __m512i found =
          near_end ? _mm512_maskz_loadu_epi8(lanes(in.end - line), line) : load64(line);
      const __mmask64 up = _mm512_testn_epi8_mask(upper, upper);
      const __mmask64 low = _mm512_testn_epi8_mask(lower, lower);
      near.upper[0] = _mm512_mask_permutexvar_epi8(near.upper[0], up, left, found);
      near.upper[1] = _mm512_mask_permutexvar_epi8(near.upper[1], up, right, found);
      near.lower[0] = _mm512_mask_permutexvar_epi8(near.lower[0], low, left, found);
      near.lower[1] = _mm512_mask_permutexvar_epi8(near.lower[1], low, right, found);
      upper = _mm512_sub_epi8(upper, _mm512_set1_epi8(1));
      lower = _mm512_sub_epi8(lower, _mm512_set1_epi8(1));
    }
    return near;
  }
};

}  // namespace
