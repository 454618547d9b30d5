// Reads an image at the places of a warp.
#pragma once
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "step.h"
#include "places.hpp"
#include "sampling.hpp"

namespace {

template <class Places>
class Warp {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Warp(const Step &step)
      : step_(step), places_(step), room_(step.width), fill_(step.fill, step.channels) {}

  explicit operator bool() const { return places_ && room_; }

  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t row) {
    places_.begin(values, row);
    const Line line = room_.line(in.width);
    for (int y = 0; y < in.height; ++y, out += int64_t(in.width) * C) {
      places_.line(values, y, line.x, line.y);
      const Fill *fill = step_.outside == FILL ? &fill_ : nullptr;
      if (step_.outside == REFLECT)
        reflected<C>(in, out, line);
      else if (!step_.bilinear)
        K::template sample_nearest<C>(in, out, line, fill);
      else
        K::template sample_line<C>(in, out, line, fill);
    }
  }

 private:
  template <int C>
  void reflected(const View &in, uint8_t *out, const Line &line) const {
    const Beyond beyond(true, in.width, in.height);
    for (int i = 0; i < in.width; ++i, out += C) {
      const double x = line.x[i], y = line.y[i];
      if (!step_.bilinear) {
        const uint8_t *from = Plain::pixel<C>(in, beyond.column(whole(std::floor(x))),
                                              beyond.row(whole(std::floor(y))));
        std::memcpy(out, from, C);
        continue;
      }
      const double left = std::floor(x - 0.5), top = std::floor(y - 0.5);
      const double dx = x - 0.5 - left, dy = y - 0.5 - top;
      const int64_t x0 = beyond.column(whole(left)), x1 = beyond.column(whole(left) + 1);
      const int64_t y0 = beyond.row(whole(top)), y1 = beyond.row(whole(top) + 1);
      const uint8_t *a0 = Plain::pixel<C>(in, x0, y0), *a1 = Plain::pixel<C>(in, x1, y0);
      const uint8_t *b0 = Plain::pixel<C>(in, x0, y1), *b1 = Plain::pixel<C>(in, x1, y1);
      for (int c = 0; c < C; ++c) {
        const double a = a0[c] + (a1[c] - a0[c]) * dx, b = b0[c] + (b1[c] - b0[c]) * dx;
        out[c] = uint8_t(int(a + (b - a) * dy + 0.5));
      }
    }
  }

  // Converts a whole number; what does not fit is as far away as possible.
  static int64_t whole(double v) {
    return v > -9e18 ? (v < 9e18 ? int64_t(v) : int64_t(9e18)) : -int64_t(9e18);
  }

  const Step &step_;
  Places places_;
  const LineRoom room_;
  const Fill fill_;
};

}  // namespace
