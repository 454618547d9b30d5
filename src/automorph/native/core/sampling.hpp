// Warps: every pixel of the result is read from a place of the input.
//
// Bilinear levels are defined in double precision and rounded. Single precision gives them too,
// unless a sum lies so close to the middle between two levels that its error could matter: those
// pixels are computed again as defined.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "step.h"
#include "plain.hpp"

namespace {

// The places that one line of the result is read from, and their neighbours in the input.
struct Line {
  double *x, *y;      // pixel centres lie at halves
  float *dx, *dy;     // shares of the right and lower neighbours
  int32_t *place;     // the byte of the upper left neighbour; negative: outside, to be filled
  int32_t *column, *row, *inside_x, *inside_y;
};

inline double floor_double(double v) {
  // Beyond 2^31 every place is outside, so it does not matter which.
  const double near = v < -1e9 ? -1e9 : v > 1e9 ? 1e9 : v;
  const double whole = double(int32_t(near));
  return whole > near ? whole - 1.0 : whole;
}

inline int64_t column_of(double left, int side) {
  return left > 0.0 ? (left < side - 1 ? int64_t(left) : side - 1) : 0;
}

struct PlainSampling {
  // One pixel as defined; edges are replicated.
  template <int C>
  static void sample_point(const View &in, uint8_t *out, double x, double y) {
    const double left = std::floor(x - 0.5), top = std::floor(y - 0.5);
    const double dx = x - 0.5 - left, dy = y - 0.5 - top;
    const int64_t x0 = column_of(left, in.width) * C, x1 = column_of(left + 1, in.width) * C;
    const int64_t line = int64_t(in.width) * C;
    const uint8_t *upper = in.data + column_of(top, in.height) * line;
    const uint8_t *lower = in.data + column_of(top + 1, in.height) * line;
    for (int c = 0; c < C; ++c) {
      const double a = upper[x0 + c] + (upper[x1 + c] - upper[x0 + c]) * dx;
      const double b = lower[x0 + c] + (lower[x1 + c] - lower[x0 + c]) * dx;
      out[c] = uint8_t(int(a + (b - a) * dy + 0.5));
    }
  }

  // Interpolates between pairs of pixels, whose bytes are `near`, along a line.
  template <int C>
  static void mix_along(const uint8_t *in, const int32_t *near, const float *share, float *out,
                        int count) {
    for (int x = 0; x < count; ++x, out += C) {
      const uint8_t *a = in + near[2 * x], *b = in + near[2 * x + 1];
      for (int c = 0; c < C; ++c) out[c] = float(a[c]) + float(b[c] - a[c]) * share[x];
    }
  }

  // Samples a line. What lies outside is filled or, without a colour, the edge is replicated.
  template <int C>
  static void sample_line(const View &in, uint8_t *out, const Line &line, const Fill *fill) {
    for (int i = 0; i < in.width; ++i) sample_or_fill<C>(in, out + i * C, line, i, fill);
  }

  template <int C>
  static void sample_or_fill(const View &in, uint8_t *out, const Line &line, int i,
                             const Fill *fill) {
    if (fill && !seen(in, line, i))
      std::memcpy(out, fill->run, C);
    else
      sample_point<C>(in, out, line.x[i], line.y[i]);
  }

  // Copies the nearest pixels. What lies outside is filled or, without a colour, replicated.
  template <int C>
  static void sample_nearest(const View &in, uint8_t *out, const Line &line, const Fill *fill) {
    inside(line.x, in.width, in.width, line.column);
    inside(line.y, in.width, in.height, line.row);
    const int64_t stride = int64_t(in.width) * C;
    const bool whole = Plain::one_more<C>(in);
    for (int i = 0; i < in.width; ++i)
      Plain::copy_pixel<C>(out + i * C, in.data + line.row[i] * stride + line.column[i] * C,
                           whole && i + 1 < in.width);
    if (fill) fill_outside<C>(in, out, line, *fill);
  }

  template <int C>
  static void fill_outside(const View &in, uint8_t *out, const Line &line, const Fill &fill) {
    int32_t some = 0;
    for (int i = 0; i < in.width; ++i) {
      line.place[i] = int32_t(seen(in, line, i)) - 1;
      some |= line.place[i];
    }
    for (int i = 0; some && i < in.width; ++i)
      if (line.place[i]) std::memcpy(out + i * C, fill.run, C);
  }

  // Whether a place lies inside the image.
  static bool seen(const View &in, const Line &line, int i) {
    const double x = line.x[i], y = line.y[i];
    return (x >= 0.0) & (x < in.width) & (y >= 0.0) & (y < in.height);
  }

 private:
  // The columns (or rows) of a line of places; edges are replicated.
  static void inside(const double *at, int count, int side, int32_t *out) {
    const double last = side - 1;
    for (int i = 0; i < count; ++i) {
      const double low = at[i] > 0.0 ? at[i] : 0.0;
      out[i] = int32_t(low < last ? low : last);
    }
  }
};

// Computes the first neighbour and the share of the second one along one axis, and whether the place
// lies inside. Beyond the edge, a share of 0 or 1 replicates it; 1 gives whole levels exactly.
inline void locate_along(const double *at, int count, int side, float *share, int32_t *whole,
                         int32_t *inside) {
  const double last = side - 1.0, before = side > 1 ? side - 2.0 : 0.0;
  for (int i = 0; i < count; ++i) {
    const double from = at[i] - 0.5, low = from > 0.0 ? from : 0.0, u = low < last ? low : last;
    const auto w = int32_t(u < before ? u : before);
    whole[i] = w;
    share[i] = float(u - double(w));
    inside[i] = int32_t((at[i] >= 0.0) & (at[i] < side));
  }
}

// Computes `dx`, `dy` and `place` of a line from `x` and `y`.
template <int C>
inline void locate(const View &in, const Line &line, bool filled) {
  const int32_t stride = in.width * C, all = filled ? 0 : -1;
  locate_along(line.x, in.width, in.width, line.dx, line.column, line.inside_x);
  locate_along(line.y, in.width, in.height, line.dy, line.row, line.inside_y);
  for (int i = 0; i < in.width; ++i) {
    const int32_t seen = -(line.inside_x[i] & line.inside_y[i]) | all;
    line.place[i] = ((line.row[i] * stride + line.column[i] * C) & seen) | ~seen;
  }
}

// Room for one line.
class LineRoom {
 public:
  explicit LineRoom(int width) : double_(2 * width), single_(2 * width), whole_(5 * width) {}
  explicit operator bool() const { return double_ && single_ && whole_; }
  Line line(int width) const {
    return {double_.at(),         double_.at(width),     single_.at(),
            single_.at(width),    whole_.at(),           whole_.at(width),
            whole_.at(2 * width), whole_.at(3 * width), whole_.at(4 * width)};
  }

 private:
  const Buffer<double> double_;
  const Buffer<float> single_;
  const Buffer<int32_t> whole_;
};

}  // namespace
