// Bilinear sampling at given places for AVX2.
#pragma once
#include <immintrin.h>

#include "sampling.hpp"

namespace {

struct Avx2Sampling : PlainSampling {
  // The channels of a pixel in the lower half, and those of its right neighbour in the upper half.
  template <int C>
  static __m256 pair(const uint8_t *at) {
    const char n = -1;
    const __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(at));
    const __m128i apart = C == 4   ? both
                          : C == 3 ? _mm_shuffle_epi8(both, _mm_setr_epi8(0, 1, 2, n, 3, 4, 5, n, n,
                                                                          n, n, n, n, n, n, n))
                                   : _mm_shuffle_epi8(both, _mm_setr_epi8(0, n, n, n, 1, n, n, n, n,
                                                                          n, n, n, n, n, n, n));
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(apart));
  }

  template <int C>
  static __m128 mixed(const uint8_t *at, int64_t stride, float dx, float dy) {
    const __m256 upper = pair<C>(at), lower = pair<C>(at + stride);
    const __m256 both =
        _mm256_add_ps(upper, _mm256_mul_ps(_mm256_sub_ps(lower, upper), _mm256_set1_ps(dy)));
    const __m128 left = _mm256_castps256_ps128(both), right = _mm256_extractf128_ps(both, 1);
    return _mm_add_ps(left, _mm_mul_ps(_mm_sub_ps(right, left), _mm_set1_ps(dx)));
  }

  // `out` needs room for one more pixel; four bytes of every pixel can be read.
  template <int C>
  static void mix_along(const uint8_t *in, const int32_t *near, const float *share, float *out,
                        int count) {
    if constexpr (C == 1) {
      PlainSampling::mix_along<C>(in, near, share, out, count);
    } else {
      for (int x = 0; x < count; ++x, out += C) {
        const __m128 a = channels(in + near[2 * x]), b = channels(in + near[2 * x + 1]);
        _mm_storeu_ps(out, _mm_add_ps(a, _mm_mul_ps(_mm_sub_ps(b, a), _mm_set1_ps(share[x]))));
      }
    }
  }

  static __m128 channels(const uint8_t *pixel) {
    int v;
    std::memcpy(&v, pixel, 4);
    return _mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(v)));
  }

  template <int C>
  static void sample_line(const View &in, uint8_t *out, const Line &line, const Fill *fill) {
    if (int64_t(in.height) * in.width * C >= int64_t(1) << 31)
      return PlainSampling::sample_line<C>(in, out, line, fill);
    locate<C>(in, line, fill != nullptr);
    const int64_t stride = int64_t(in.width) * C;
    constexpr int LANES = (1 << C) - 1;
    const __m128 half = _mm_set1_ps(0.5f), doubt = _mm_set1_ps(0.5f - 2e-4f);
    const __m128 sign = _mm_set1_ps(-0.0f);
    const auto last = int32_t(in.end - in.data - stride - 8);  // where 8 bytes can be read
    for (int i = 0; i < in.width; ++i, out += C) {
      if (line.place[i] < 0 || line.place[i] > last) {
        sample_or_fill<C>(in, out, line, i, fill);
        continue;
      }
      const __m128 v = mixed<C>(in.data + line.place[i], stride, line.dx[i], line.dy[i]);
      const __m128i whole = _mm_cvttps_epi32(_mm_add_ps(v, half));
      const __m128 away = _mm_andnot_ps(sign, _mm_sub_ps(v, _mm_cvtepi32_ps(whole)));
      if (_mm_movemask_ps(_mm_cmpgt_ps(away, doubt)) & LANES) {
        sample_point<C>(in, out, line.x[i], line.y[i]);
        continue;
      }
      const __m128i words = _mm_packus_epi32(whole, whole);
      const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
      std::memcpy(out, &pixel, C == 3 && i + 1 < in.width ? 4 : C);
    }
  }

  // Finds the places of four pixels at a time.
  template <int C>
  static void sample_nearest(const View &in, uint8_t *out, const Line &line, const Fill *fill) {
    if (int64_t(in.height) * in.width * C >= int64_t(1) << 31)
      return PlainSampling::sample_nearest<C>(in, out, line, fill);
    // Copies, since the compiler must assume that writing pixels changes the originals.
    const Line at = line;
    const uint8_t *const data = in.data;
    const int width = in.width, height = in.height;
    const __m128i stride = _mm_set1_epi32(width * C), pixel = _mm_set1_epi32(C);
    int all = 15;
    for (int i = 0; i < width; i += 4) {
      const Axis x(at.x + i, width), y(at.y + i, height);
      __m128i place = _mm_add_epi32(_mm_mullo_epi32(y.whole, stride),
                                    _mm_mullo_epi32(x.whole, pixel));
      if (fill) {
        const __m128i seen = _mm_and_si128(x.inside, y.inside);
        place = _mm_or_si128(place, _mm_xor_si128(seen, _mm_set1_epi32(-1)));
        // What is read past the end of a line counts as well, which costs nothing but time.
        all &= _mm_movemask_ps(_mm_castsi128_ps(seen));
      }
      _mm_storeu_si128(reinterpret_cast<__m128i *>(at.place + i), place);
    }
    // Four bytes of most pixels can be read, and the next pixel overwrites the fourth.
    const int64_t last = in.end - data - 4;
    for (int i = 0; i < width; ++i, out += C) {
      const int32_t place = at.place[i];
      const uint8_t *from = all != 15 && place < 0 ? fill->run : data + place;
      Plain::copy_pixel<C>(out, from, C == 3 && place <= last && i + 1 < width);
    }
  }

 private:
  // Columns or rows of four places, with replicated edges, and which of them lie inside.
  struct Axis {
    __m128i whole, inside;

    Axis(const double *at, int side) {
      const __m256d v = _mm256_loadu_pd(at), end = _mm256_set1_pd(std::nextafter(double(side), 0.0));
      const __m256d shown = _mm256_min_pd(_mm256_max_pd(v, _mm256_setzero_pd()), end);
      whole = _mm256_cvttpd_epi32(shown);
      const __m256 both = _mm256_castpd_ps(_mm256_cmp_pd(v, shown, _CMP_EQ_OQ));
      inside = _mm_castps_si128(_mm_shuffle_ps(_mm256_castps256_ps128(both),
                                               _mm256_extractf128_ps(both, 1), 0x88));
    }
  };
};

}  // namespace
