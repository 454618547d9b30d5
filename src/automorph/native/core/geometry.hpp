// The 2x3 matrices of geometric operations, from output to input coordinates.
//
// Follows the arithmetic of torchvision (`_get_inverse_affine_matrix`) and Pillow (`Image.rotate`)
// step by step in double precision, so that pixels are identical to theirs.
#pragma once
#include <cmath>
#include <cstdint>

namespace {

constexpr double PI = 3.141592653589793;

// x_in = m[0] x + m[1] y + m[2], y_in = m[3] x + m[4] y + m[5]; pixel centres lie at + 0.5.
struct Affine {
  double m[6];
};

// Shear by angles in radians about (0, 0).
inline Affine shear(double sx, double sy) {
  const double rot = 0.0;
  const double a = std::cos(rot - sy) / std::cos(sy);
  const double b = -std::cos(rot - sy) * std::tan(sx) / std::cos(sy) - std::sin(rot);
  const double c = std::sin(rot - sy) / std::cos(sy);
  const double d = -std::sin(rot - sy) * std::tan(sx) / std::cos(sy) + std::cos(rot);
  return {{d, -b, 0.0, -c, a, 0.0}};
}

// Converts a shear ratio to degrees and back to radians, as torchvision's AutoAugment does.
inline double shear_angle(double value) {
  return std::atan(value) * (180.0 / PI) * (PI / 180.0);
}

inline Affine shift(double x, double y) { return {{1.0, 0.0, -x, 0.0, 1.0, -y}}; }

inline Affine mirror(int width) { return {{-1.0, 0.0, double(width), 0.0, 1.0, 0.0}}; }

inline Affine upside_down(int height) { return {{1.0, 0.0, 0.0, 0.0, -1.0, double(height)}}; }

// Python's round(x, 15) for |x| <= 1: rounds the exact product with 10^15 half to even.
inline double round15(double x) {
  const double scale = 1e15, product = x * scale, rest = std::fma(x, scale, -product);
  const double whole = std::nearbyint(product), over = (product - whole) + rest;
  if (over > 0.5 || (over == 0.5 && std::fmod(whole, 2.0) != 0.0)) return (whole + 1.0) / scale;
  if (over < -0.5 || (over == -0.5 && std::fmod(whole, 2.0) != 0.0)) return (whole - 1.0) / scale;
  return whole / scale;
}

// Rotation about the centre by degrees, counter-clockwise.
inline Affine rotation(double degrees, int width, int height) {
  double turn = std::fmod(degrees, 360.0);  // as Python's %: never negative
  if (turn < 0.0) turn += 360.0;
  const double angle = -(turn * (PI / 180.0));
  const double a = round15(std::cos(angle)), b = round15(std::sin(angle));
  const double c = round15(-std::sin(angle));
  const double cx = width / 2.0, cy = height / 2.0;
  return {{a, b, (a * -cx + b * -cy + 0.0) + cx, c, a, (c * -cx + a * -cy + 0.0) + cy}};
}

// Composes `earlier`, then `later` into one map (all map output to input).
inline Affine compose(const Affine &earlier, const Affine &later) {
  const double *e = earlier.m, *l = later.m;
  return {{e[0] * l[0] + e[1] * l[3], e[0] * l[1] + e[1] * l[4], e[0] * l[2] + e[1] * l[5] + e[2],
           e[3] * l[0] + e[4] * l[3], e[3] * l[1] + e[4] * l[4], e[3] * l[2] + e[4] * l[5] + e[5]}};
}

// Pillow's 16.16 fixed-point form of a map.
struct Fixed {
  int32_t xx, xy, x0, yx, yy, y0;  // x_in = (xx x + xy y + x0) >> 16 for integers x, y
};

inline int32_t to_fixed(double v) { return int32_t(std::floor(v * 65536.0 + 0.5)); }

// from + n * step; like Pillow's sums, it wraps on overflow.
inline int32_t along(int32_t from, int32_t step, int64_t n) {
  return int32_t(uint32_t(from) + uint32_t(step) * uint32_t(n));
}

inline Fixed fixed(const Affine &map) {
  const double *m = map.m;
  return {to_fixed(m[0]), to_fixed(m[1]), to_fixed(m[2] + m[0] * 0.5 + m[1] * 0.5),
          to_fixed(m[3]), to_fixed(m[4]), to_fixed(m[5] + m[3] * 0.5 + m[4] * 0.5)};
}

// True if all four corners fit into 16.16 numbers; if not, Pillow computes in floating point.
inline bool fits_fixed(const Affine &map, int width, int height) {
  const double *m = map.m;
  for (int corner = 0; corner < 4; ++corner) {
    const int x = corner & 1 ? width : 0, y = corner & 2 ? height : 0;
    if (!(std::fabs(x * m[0] + y * m[1] + m[2]) < 32768.0)) return false;
    if (!(std::fabs(x * m[3] + y * m[4] + m[5]) < 32768.0)) return false;
  }
  return true;
}

}  // namespace
