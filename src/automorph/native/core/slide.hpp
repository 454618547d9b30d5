// Bilinear interpolation of maps that read lines from lines, as ShearX does.
#pragma once
#include <cmath>
#include <cstdint>

#include "plain.hpp"

namespace {

// Every line is blended with itself, shifted by one pixel more. `K::slide` blends bytes with those a
// pixel further, with shares that are multiples of 2^-28; it leaves those that are too close to
// another level to a function.
template <class K, int C>
struct Slide {
  const View &in;
  const Affine &map;
  const Fill &fill;

  // True if lines are read from lines, as by ShearX.
  static bool fits(const Affine &map) {
    const double *m = map.m;
    return m[0] == 1.0 && m[3] == 0.0 && m[4] == 1.0 && m[5] == std::floor(m[5]) &&
           std::fabs(m[5]) < 1e6;
  }

  // Computes line y; returns false if a position is too close to where another pixel begins.
  bool line(uint8_t *out, int y) const {
    constexpr double CLOSE = 1e-6;
    const int64_t stride = int64_t(in.width) * C;
    const int64_t row = y + int64_t(map.m[5]);
    if (row < 0 || row >= in.height) {
      fill.write(out, stride);
      return true;
    }
    const double shift = map.m[1] * (y + 0.5) + map.m[2], whole = std::floor(shift);
    const double share = shift - whole;
    if (!(std::fabs(shift) < 1e6) || share < CLOSE || share > 1.0 - CLOSE ||
        std::fabs(share - 0.5) < CLOSE)
      return false;
    const int left = int(whole), width = in.width;
    // Pixels are inside from 0 <= x + 0.5 + shift on; their neighbours, from first_both on.
    const int first = clamp(-left - (share > 0.5), 0, width);
    const int last = clamp(width - left - (share > 0.5), first, width);
    const int first_both = clamp(-left, first, last);
    const int last_both = clamp(width - 1 - left, first_both, last);
    fill.write(out, int64_t(first) * C);
    single(out, first, first_both, y);
    blend(in.data + row * stride + int64_t(first_both + left) * C, out, first_both, last_both, y,
          share);
    single(out, last_both, last, y);
    fill.write(out + int64_t(last) * C, int64_t(width - last) * C);
    return true;
  }

  void single(uint8_t *out, int x, int end, int y) const {
    const double *m = map.m, yc = y + 0.5;
    for (; x < end; ++x) {
      const double xc = x + 0.5;
      Plain::bilinear_pixel<C>(in, out + int64_t(x) * C, m[0] * xc + m[1] * yc + m[2],
                               m[3] * xc + m[4] * yc + m[5], fill);
    }
  }

  void blend(const uint8_t *from, uint8_t *out, int first, int last, int y, double share) const {
    const auto right = int32_t(share * (1 << 28));
    uint8_t *to = out + int64_t(first) * C;
    K::template slide<C>(from, to, int64_t(last - first) * C, (1 << 28) - right, right,
                         [&](int64_t byte) {
                           precise(to + byte, first + int(byte / C), from[byte], from[byte + C], y);
                         });
  }

  // Pillow's arithmetic for one value.
  void precise(uint8_t *out, int x, int a, int b, int y) const {
    const double *m = map.m, xc = x + 0.5, yc = y + 0.5;
    const double u = m[0] * xc + m[1] * yc + m[2];
    const double dx = u - 0.5 - std::floor(u - 0.5);
    *out = uint8_t(a + (b - a) * dx);
  }
};

}  // namespace
