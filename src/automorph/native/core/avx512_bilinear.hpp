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

// The shares of four neighbours in 16 pixels, as multiples of 2^-28 that add up to 1: each as 14
// upper and 14 lower bits, those of a left and a right neighbour in the halves of a lane.
//
// Sums of products with them differ from Pillow's doubles by less than 2^-14, so their integers are
// the same unless a sum is that close to one; then the caller computes in doubles.
struct Shares {
  __m512i upper[2], lower[2];

  Shares(Doubles dx, Doubles dy)
      : Shares((dx * Doubles::all(1 << 28)).cut(), (dy * Doubles::all(1 << 28)).cut(),
               (dx * dy * Doubles::all(1 << 28)).cut()) {}
  // From multiples of 2^-28.
  Shares(__m512i x, __m512i y) : Shares(x, y, product(x, y)) {}
  Shares(__m512i x, __m512i y, __m512i both) {
    const __m512i right = _mm512_sub_epi32(x, both);
    const __m512i rest = _mm512_sub_epi32(_mm512_set1_epi32(1 << 28), _mm512_add_epi32(y, right));
    const __m512i left = _mm512_max_epi32(rest, _mm512_setzero_si512());  // rounded, it may be -1
    split(left, right, upper);
    split(_mm512_sub_epi32(y, both), both, lower);
  }
  static __m512i product(__m512i x, __m512i y) {
    const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(x, y), 28);
    const __m512i odd = _mm512_srli_epi64(
        _mm512_mul_epu32(_mm512_srli_epi64(x, 32), _mm512_srli_epi64(y, 32)), 28);
    return _mm512_or_si512(even, _mm512_slli_epi64(odd, 32));
  }
  static void split(__m512i left, __m512i right, __m512i *parts) {
    const __m512i low = _mm512_set1_epi32(0x3FFF);
    parts[0] = _mm512_or_si512(_mm512_srli_epi32(left, 14),
                               _mm512_slli_epi32(_mm512_srli_epi32(right, 14), 16));
    parts[1] = _mm512_or_si512(_mm512_and_si512(left, low),
                               _mm512_slli_epi32(_mm512_and_si512(right, low), 16));
  }
  // The integer parts of the sums; `unsure`: the lanes that are too close to an integer. Those of
  // four equal neighbours are exact.
  __m512i mix(__m512i above, __m512i below, __mmask16 *unsure) const {
    const auto sum = [&](int part) {
      return _mm512_add_epi32(_mm512_madd_epi16(above, upper[part]),
                              _mm512_madd_epi16(below, lower[part]));
    };
    const __m512i total = _mm512_add_epi32(sum(0), _mm512_srli_epi32(sum(1), 14));
    const __m512i beside = _mm512_and_si512(_mm512_add_epi32(total, _mm512_set1_epi32(1)),
                                            _mm512_set1_epi32(0x3FFF));
    const __mmask16 differ = _mm512_cmpneq_epi32_mask(above, _mm512_rol_epi32(above, 16)) |
                             _mm512_cmpneq_epi32_mask(above, below);
    *unsure = _mm512_mask_cmple_epu32_mask(differ, beside, _mm512_set1_epi32(1));
    return _mm512_srli_epi32(total, 14);
  }
};

// Bilinear interpolation of 16 pixels at a time, one pixel per 32-bit lane. Like `Window`, but
// every pixel needs two neighbours on each of two lines. Positions are Pillow's, in double precision.
template <int C>
struct SmoothWindow {
  const View &in;
  const double *const m;
  const int64_t stride;
  const int depth, top_most;
  const bool fits_32;  // whether the positions in a window fit 32 bits, as `inner` has them
  const __m512i empty, u_steps, v_steps;

  SmoothWindow(const View &view, const Affine &map, const Fill &fill)
      : in(view),
        m(map.m),
        stride(int64_t(view.width) * C),
        depth(reach(map.m[3])),
        top_most(view.height > depth ? view.height - depth : 0),
        fits_32(std::fabs(map.m[0]) < 2.0 && std::fabs(map.m[3]) < 2.0),
        empty(_mm512_permutexvar_epi8(_mm512_set1_epi32(0x03020100),
                                      _mm512_load_si512(fill.run))),
        u_steps(steps(fits_32 ? map.m[0] : 0.0)),
        v_steps(steps(fits_32 ? map.m[3] : 0.0)) {}

  // How far 16 pixels are from the first, in 2^-26.
  static __m512i steps(double step) {
    const Doubles numbers = {_mm512_setr_pd(0, 1, 2, 3, 4, 5, 6, 7),
                             _mm512_setr_pd(8, 9, 10, 11, 12, 13, 14, 15)};
    return (numbers * Doubles::all(step * (1 << 26))).cut();
  }

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

  // The places of the bytes of 16 pixels in 32-bit lanes.
  static __m512i packing() {
    static constexpr Bytes packed = bytes([](int i) { return (i / C * 4 + i % C) % 64; });
    return _mm512_load_si512(packed.v);
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
    const Shares shares(dx, dy);
    for (int c = 0; c < C; ++c) {
      __mmask16 unsure;
      __m512i value = shares.mix(near.pair(near.upper, c), near.pair(near.lower, c), &unsure);
      unsure &= inside;
      if (unsure) value = near.precise(dx, dy, c);
      mixed = _mm512_or_si512(mixed, _mm512_slli_epi32(value, unsigned(8 * c)));
    }
    mixed = _mm512_mask_mov_epi32(empty, inside, mixed);
    store_pixels<C>(out, _mm512_permutexvar_epi8(packing(), mixed), known);
  }

  // The same for 16 pixels that are all outside, or in the middle, where their neighbours all exist:
  // positions in 2^-26 of a pixel from the corner of the window, so that all is done in integers.
  // They differ from Pillow's by less than 2^-25, which `Shares` leaves room for. Returns false at
  // the edges, and where a value is close to the next level.
  bool inner(uint8_t *out, int x, int y) const {
    constexpr double UNIT = 1 << 26, MARGIN = 1e-3;
    const double xc = x + 0.5, yc = y + 0.5;
    const double u = m[0] * xc + m[1] * yc + m[2] - 0.5, u_last = u + 15.0 * m[0];
    const double v = m[3] * xc + m[4] * yc + m[5] - 0.5, v_last = v + 15.0 * m[3];
    const double u_least = m[0] < 0 ? u_last : u, v_least = m[3] < 0 ? v_last : v;
    const double u_most = m[0] < 0 ? u : u_last, v_most = m[3] < 0 ? v : v_last;
    if (u_most < -0.5 - MARGIN || u_least > in.width - 0.5 + MARGIN || v_most < -0.5 - MARGIN ||
        v_least > in.height - 0.5 + MARGIN) {
      store_pixels<C>(out, _mm512_permutexvar_epi8(packing(), empty), 16);
      return true;
    }
    if (!(u_least > MARGIN && u_most < in.width - 1 - MARGIN && v_least > MARGIN &&
          v_most < in.height - 1 - MARGIN))
      return false;
    const int left = int(u_least), top = int(v_least);
    const uint8_t *line = in.data + top * stride + left * C;
    if (line + (depth - 1) * stride + 64 > in.end) return false;
    const __m512i px = _mm512_add_epi32(_mm512_set1_epi32(int32_t((u - left) * UNIT)), u_steps);
    const __m512i py = _mm512_add_epi32(_mm512_set1_epi32(int32_t((v - top) * UNIT)), v_steps);
    __m512i place = _mm512_srli_epi32(px, 26);
    if (C == 3) place = _mm512_add_epi32(place, _mm512_add_epi32(place, place));
    if (C == 4) place = _mm512_slli_epi32(place, 2);
    const __m512i spread = _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0);
    const __m512i here = _mm512_add_epi8(_mm512_shuffle_epi8(place, spread),
                                         _mm512_set1_epi32(0x03020100));
    const __m512i beside = _mm512_add_epi8(here, _mm512_set1_epi8(C));
    __m512i row = _mm512_shuffle_epi8(_mm512_srli_epi32(py, 26), spread);
    const int lines = (int(v_most) - top) + 2;
    const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi8(1);
    __m512i upper = zero, upper_beside = zero, lower = zero, lower_beside = zero;
    __mmask64 low = 0;
    for (int k = 0; k < lines; ++k, line += stride) {
      const __m512i found = load64(line);
      const __mmask64 up = _mm512_testn_epi8_mask(row, row);
      const __m512i left_of = _mm512_permutexvar_epi8(here, found);
      const __m512i right_of = _mm512_permutexvar_epi8(beside, found);
      upper = _mm512_mask_mov_epi8(upper, up, left_of);
      upper_beside = _mm512_mask_mov_epi8(upper_beside, up, right_of);
      lower = _mm512_mask_mov_epi8(lower, low, left_of);
      lower_beside = _mm512_mask_mov_epi8(lower_beside, low, right_of);
      row = _mm512_sub_epi8(row, one);
      low = up;
    }
    const Neighbours near = {{upper, upper_beside}, {lower, lower_beside}};
    const __m512i fraction = _mm512_set1_epi32((1 << 26) - 1);
    const Shares shares(_mm512_slli_epi32(_mm512_and_si512(px, fraction), 2),
                        _mm512_slli_epi32(_mm512_and_si512(py, fraction), 2));
    __m512i mixed = zero;
    __mmask16 rare = 0;
    for (int c = 0; c < C; ++c) {
      __mmask16 unsure;
      const __m512i value = shares.mix(near.pair(near.upper, c), near.pair(near.lower, c), &unsure);
      rare |= unsure;
      mixed = _mm512_or_si512(mixed, _mm512_slli_epi32(value, unsigned(8 * c)));
    }
    if (rare) return false;
    store_pixels<C>(out, _mm512_permutexvar_epi8(packing(), mixed), 16);
    return true;
  }

  // Left and right neighbours on the upper and lower lines; edges are replicated.
  struct Neighbours {
    __m512i upper[2], lower[2];

    // Channel c of the left and the right neighbour, in the halves of each lane.
    static __m512i pair(const __m512i *sides, int c) {
      const __m512i place = _mm512_add_epi8(
          _mm512_set4_epi32(0x004C000C, 0x00480008, 0x00440004, 0x00400000), _mm512_set1_epi8(char(c)));
      return _mm512_maskz_permutex2var_epi8(0x5555555555555555, sides[0],
                                            _mm512_add_epi8(place, quarters()), sides[1]);
    }
    static __m512i quarters() {  // 16 in the bytes of the second quarter, and so on
      return _mm512_setr_epi32(0, 0, 0, 0, 0x10101010, 0x10101010, 0x10101010, 0x10101010,
                               0x20202020, 0x20202020, 0x20202020, 0x20202020, 0x30303030,
                               0x30303030, 0x30303030, 0x30303030);
    }

    static __m512i channel(__m512i pixel, int c) {
      return _mm512_and_si512(_mm512_srli_epi32(pixel, unsigned(8 * c)), _mm512_set1_epi32(255));
    }
    // Pillow's arithmetic.
    __m512i precise(Doubles dx, Doubles dy, int c) const {
      const auto along = [&](const __m512i *sides) {
        const __m512i a = channel(sides[0], c), b = channel(sides[1], c);
        return Doubles::of(a) + Doubles::of(_mm512_sub_epi32(b, a)) * dx;
      };
      const Doubles above = along(upper), below = along(lower);
      return (above + (below - above) * dy).cut();
    }
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

// Blends pairs of levels by the upper bits of two shares of 14 bits and a lower part; sets the lanes
// that are too close to the next level. Equal levels are exact.
inline __m512i blended(__m512i both, __m512i upper, __m512i lower, __mmask16 &unsure) {
  const __m512i total = _mm512_add_epi32(_mm512_madd_epi16(both, upper),
                                         _mm512_srli_epi32(_mm512_madd_epi16(both, lower), 14));
  const __m512i beside = _mm512_and_si512(_mm512_add_epi32(total, _mm512_set1_epi32(1)),
                                          _mm512_set1_epi32(0x3FFF));
  const __mmask16 differ = _mm512_cmpneq_epi32_mask(both, _mm512_rol_epi32(both, 16));
  unsure = _mm512_mask_cmple_epu32_mask(differ, beside, _mm512_set1_epi32(1));
  return _mm512_srli_epi32(total, 14);
}

}  // namespace
