// Hand-written bilinear resampling for AVX2.
#pragma once
#include <immintrin.h>

#include "avx2_pixels.hpp"
#include "plain.hpp"
#include "slide.hpp"

namespace {

// The shares of four neighbours in eight pixels, as multiples of 2^-28 that add up to 1: each as 14
// upper and 14 lower bits, those of a left and a right neighbour in the halves of a lane.
//
// Sums of products with them differ from Pillow's doubles by less than 2^-14, so their integers are
// the same unless a sum is that close to one; then the caller computes in doubles.
struct EightShares {
  __m256i above[2], below[2];

  // From multiples of 2^-28: along x, along y, and their product.
  EightShares(__m256i x, __m256i y, __m256i both) {
    const __m256i right = _mm256_sub_epi32(x, both);
    const __m256i rest = _mm256_sub_epi32(_mm256_set1_epi32(1 << 28), _mm256_add_epi32(y, right));
    split(_mm256_max_epi32(rest, _mm256_setzero_si256()), right, above);  // rounded, it may be -1
    split(_mm256_sub_epi32(y, both), both, below);
  }
  // Of two neighbours on one line, which are the same in all lanes.
  EightShares(int32_t left, int32_t right) {
    split(_mm256_set1_epi32(left), _mm256_set1_epi32(right), above);
    below[0] = below[1] = _mm256_setzero_si256();
  }
  static void split(__m256i left, __m256i right, __m256i *parts) {
    parts[0] = upper_parts<14>(left, right);
    parts[1] = lower_parts<14>(left, right);
  }
  // The shares of two pixels in the lanes of their channels.
  template <class F>
  EightShares of(F spread, int k) const {
    EightShares two = *this;
    for (int part = 0; part < 2; ++part) {
      two.above[part] = spread(above[part], k);
      two.below[part] = spread(below[part], k);
    }
    return two;
  }
  // The integer parts of the sums; adds the lanes that are too close to an integer to `unsure`.
  // Those of four equal neighbours are exact.
  __m256i mix(__m256i up, __m256i down, __m256i &unsure) const {
    const auto sum = [&](int part) {
      return _mm256_add_epi32(_mm256_madd_epi16(up, above[part]),
                              _mm256_madd_epi16(down, below[part]));
    };
    const __m256i level = _mm256_cmpeq_epi32(up, down);
    return whole(sum(0), sum(1), _mm256_and_si256(level, flat(up)), unsure);
  }
  // The same on one line.
  __m256i mix(__m256i pair, __m256i &unsure) const {
    return whole(_mm256_madd_epi16(pair, above[0]), _mm256_madd_epi16(pair, above[1]), flat(pair),
                 unsure);
  }
  static __m256i flat(__m256i pair) {
    const __m256i swapped = _mm256_or_si256(_mm256_slli_epi32(pair, 16),
                                            _mm256_srli_epi32(pair, 16));
    return _mm256_cmpeq_epi32(pair, swapped);
  }
  static __m256i whole(__m256i upper, __m256i lower, __m256i exact, __m256i &unsure) {
    const __m256i total = _mm256_add_epi32(upper, _mm256_srli_epi32(lower, 14));
    const __m256i beside = _mm256_and_si256(_mm256_add_epi32(total, _mm256_set1_epi32(1)),
                                            _mm256_set1_epi32(0x3FFF));
    const __m256i close = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), beside);
    unsure = _mm256_or_si256(unsure, _mm256_andnot_si256(exact, close));
    return _mm256_srli_epi32(total, 14);
  }
};

// One line of the result. Positions are Pillow's, in double precision.
template <int C>
class SmoothLine {
 public:
  SmoothLine(const View &view, const Affine &map, int y, const Fill &colour)
      : in(view),
        m(map.m),
        fill(colour),
        stride(view.width * C),
        last(bounded(view.end - view.data - stride - 8)),
        y_part{m[1] * (y + 0.5), m[4] * (y + 0.5)},
        pairs(m[0] == 1.0 && m[1] == 0.0 && whole(m[2])),
        below(m[3] == 0.0 && whole(y_part[1] + m[5] - 0.5) ? 0 : stride) {}

  void run(uint8_t *out) const {
    int x = 0;
    for (; x + 8 <= in.width; x += 8, out += 8 * C)
      if (!eight(out, x))
        for (int k = 0; k < 8; ++k) one(out + k * C, x + k);
    for (; x < in.width; ++x, out += C) one(out, x);
  }

 private:
  void one(uint8_t *out, int x) const {
    const double xc = x + 0.5;
    Plain::bilinear_pixel<C>(in, out, m[0] * xc + y_part[0] + m[2], m[3] * xc + y_part[1] + m[5],
                             fill);
  }

  static bool whole(double v) { return v == std::floor(v); }

  // The end of a batch may be farther away than any pixel of an image.
  static int32_t bounded(int64_t v) { return v < INT32_MAX ? int32_t(v) : INT32_MAX; }

  // Four positions along one axis: the pixel before, the share of the next one in 2^-28.
  struct Four {
    __m128i before;
    __m256d share;
    int inside, amid;  // bits of those within the image, and of those with both neighbours

    Four(__m256d at, double side) {
      const __m256d half = _mm256_set1_pd(0.5), end = _mm256_set1_pd(side);
      const auto both = [&](__m256d low, __m256d high) {
        return _mm256_movemask_pd(_mm256_and_pd(_mm256_cmp_pd(at, low, _CMP_GE_OQ),
                                                _mm256_cmp_pd(at, high, _CMP_LT_OQ)));
      };
      inside = both(_mm256_setzero_pd(), end);
      amid = both(half, _mm256_sub_pd(end, half));
      const __m256d from = _mm256_sub_pd(at, half);
      before = _mm256_cvttpd_epi32(from);
      share = _mm256_sub_pd(from, _mm256_cvtepi32_pd(before));
    }
    __m128i units() const { return in_units(share); }
    static __m128i in_units(__m256d v) {
      return _mm256_cvttpd_epi32(_mm256_mul_pd(v, _mm256_set1_pd(1 << 28)));
    }
  };

  Four four(int axis, __m256d xc) const {
    const __m256d slope = _mm256_mul_pd(_mm256_set1_pd(m[3 * axis]), xc);
    return Four(_mm256_add_pd(_mm256_add_pd(slope, _mm256_set1_pd(y_part[axis])),
                              _mm256_set1_pd(m[3 * axis + 2])),
                axis ? in.height : in.width);
  }

  // Computes pixels [x, x + 8); returns false if one is at an edge, or close to another level.
  bool eight(uint8_t *out, int x) const {
    const __m256d numbers = _mm256_setr_pd(0.5, 1.5, 2.5, 3.5);
    const __m256d low = _mm256_add_pd(_mm256_set1_pd(x), numbers);
    const __m256d high = _mm256_add_pd(_mm256_set1_pd(x + 4), numbers);
    const Four u[2] = {four(0, low), four(0, high)}, v[2] = {four(1, low), four(1, high)};
    if (!((u[0].inside & v[0].inside) | (u[1].inside & v[1].inside))) {
      std::memcpy(out, fill.run, 8 * C);
      return true;
    }
    if ((u[0].amid & u[1].amid & v[0].amid & v[1].amid) != 15) return false;
    const __m256i column = _mm256_set_m128i(u[1].before, u[0].before);
    const __m256i row = _mm256_set_m128i(v[1].before, v[0].before);
    const __m256i from = _mm256_add_epi32(_mm256_mullo_epi32(row, _mm256_set1_epi32(stride)),
                                          _mm256_mullo_epi32(column, _mm256_set1_epi32(C)));
    const __m256i beyond = _mm256_cmpgt_epi32(from, _mm256_set1_epi32(last));
    if (!_mm256_testz_si256(beyond, beyond)) return false;
    alignas(32) int32_t place[8];
    _mm256_store_si256(reinterpret_cast<__m256i *>(place), from);
    const auto product = [&](int k) { return Four::in_units(_mm256_mul_pd(u[k].share, v[k].share)); };
    const EightShares shares(_mm256_set_m128i(u[1].units(), u[0].units()),
                             _mm256_set_m128i(v[1].units(), v[0].units()),
                             _mm256_set_m128i(product(1), product(0)));
    return C == 1 ? grey(out, place, shares) : colours(out, place, shares);
  }

  bool grey(uint8_t *out, const int32_t *place, const EightShares &shares) const {
    __m256i unsure = _mm256_setzero_si256();
    const __m256i up = pairs.grey(in.data, place), down = pairs.grey(in.data + below, place);
    pairs.store_grey(out, shares.mix(up, down, unsure));
    return _mm256_testz_si256(unsure, unsure);
  }

  bool colours(uint8_t *out, const int32_t *place, const EightShares &shares) const {
    __m256i unsure = _mm256_setzero_si256(), mixed[4];
    for (int k = 0; k < 4; ++k) {
      const __m256i up = pairs.colours(in.data, place, k);
      const __m256i down = pairs.colours(in.data + below, place, k);
      mixed[k] = shares.of(Pairs<C>::spread, k).mix(up, down, unsure);
    }
    pairs.store_colours(out, mixed);
    return _mm256_testz_si256(unsure, unsure);
  }

  const View &in;
  const double *const m;
  const Fill &fill;
  const int32_t stride;
  const int32_t last;  // the last byte from which eight can be read, also one line below
  const double y_part[2];
  // Where a share is 0 along an axis, neighbours on the other side must not make levels unsure.
  const Pairs<C> pairs;
  const int64_t below;
};

struct Avx2Bilinear : Plain {
  template <class K, int C>
  static void bilinear(const View &in, uint8_t *out, const Affine &map, const Fill &fill) {
    const int64_t line = int64_t(in.width) * C;
    const bool slides = Slide<K, C>::fits(map);
    const Slide<K, C> slide{in, map, fill};
    Ahead ahead(in, C);
    for (int y = 0; y < in.height; ++y, out += line) {
      ahead.until(last_line(map, y, in.width, in.height));
      if (!slides || !slide.line(out, y)) K::template bilinear_line<C>(in, out, map, y, fill);
    }
  }

  // As `EightShares`: lanes that are close to another level are left to `again`.
  template <int C, class F>
  static void slide(const uint8_t *from, uint8_t *to, int64_t bytes, int32_t left, int32_t right,
                    F again) {
    constexpr int64_t PART = 16;
    if (bytes < PART) {
      for (int64_t i = 0; i < bytes; ++i) again(i);
      return;
    }
    const EightShares shares(left, right);
    const auto load = [](const uint8_t *at) {
      return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at)));
    };
    for (int64_t i = 0; i < bytes; i += PART) {
      if (i > bytes - PART) i = bytes - PART;  // the last step overlaps the one before
      const __m256i a = load(from + i), b = load(from + i + C);
      __m256i unsure[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
      const __m256i low = shares.mix(_mm256_unpacklo_epi16(a, b), unsure[0]);
      const __m256i high = shares.mix(_mm256_unpackhi_epi16(a, b), unsure[1]);
      store_words(to + i, _mm256_packus_epi32(low, high));
      const __m256i close = _mm256_packs_epi32(unsure[0], unsure[1]);
      if (_mm256_testz_si256(close, close)) continue;
      alignas(32) int16_t which[PART];
      _mm256_store_si256(reinterpret_cast<__m256i *>(which), close);
      for (int64_t k = 0; k < PART; ++k)
        if (which[k]) again(i + k);
    }
  }

  static void store_words(uint8_t *to, __m256i words) {
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words),
                                           _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to), bytes);
  }

  template <int C>
  static void bilinear_line(const View &in, uint8_t *out, const Affine &map, int y,
                            const Fill &fill) {
    if (int64_t(in.height) * in.width * C >= int64_t(1) << 31)
      return Plain::bilinear_line<C>(in, out, map, y, fill);
    SmoothLine<C>(in, map, y, fill).run(out);
  }
};

}  // namespace
