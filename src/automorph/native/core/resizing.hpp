// Pillow's bilinear resize of a part of an image to the size of the image: 22-bit weights, along x
// and then along y, rounded in between.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "step.h"
#include "plain.hpp"

namespace {

// A part is never larger than the image: a new pixel has two taps, or three by rounding.
struct Taps {
  int32_t first;      // the first old pixel
  int32_t weight[3];  // integers of 22 bits
};

constexpr int WEIGHT_BITS = 22, HALF_WEIGHT = 1 << (WEIGHT_BITS - 1);

// The taps of `count` new pixels from `size` old ones, as `_coefficients` in operations/resizing.py.
inline void make_taps(Taps *out, int size, int count) {
  const double scale = double(size) / count;
  for (int i = 0; i < count; ++i) {
    const double centre = (i + 0.5) * scale;
    const int from = int(centre - 1.0 + 0.5), first = from < 0 ? 0 : from;
    const int to = int(centre + 1.0 + 0.5), last = to > size ? size : to;
    double weight[3] = {0.0, 0.0, 0.0}, total = 0.0;
    for (int k = first; k < last && k < first + 3; ++k) {
      const double near = 1.0 - std::fabs(k - centre + 0.5);
      weight[k - first] = near > 0.0 ? near : 0.0;
      total += weight[k - first];
    }
    out[i].first = first;
    for (int k = 0; k < 3; ++k)
      out[i].weight[k] = int32_t(std::floor(0.5 + weight[k] / total * (1 << WEIGHT_BITS)));
  }
}

struct PlainResizing {
  // Resizes a line of pixels along x; nothing is read from `end` on.
  template <int C>
  static void across(const uint8_t *in, const uint8_t *, uint8_t *out, const Taps *taps,
                     int count) {
    for (int i = 0; i < count; ++i, out += C) {
      const Taps &tap = taps[i];
      const uint8_t *a = in + tap.first * C, *b = tap.weight[1] != 0 ? a + C : a;
      const uint8_t *c = tap.weight[2] != 0 ? b + C : a;
      for (int k = 0; k < C; ++k)
        out[k] = uint8_t((a[k] * tap.weight[0] + b[k] * tap.weight[1] + c[k] * tap.weight[2] +
                          HALF_WEIGHT) >> WEIGHT_BITS);
    }
  }
};

class Resize {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Resize(const Step &step)
      : across_(step.width),
        down_(step.height),
        lines_(int64_t(step.width) * step.channels * (step.height + 2)) {}

  explicit operator bool() const { return across_ && down_ && lines_; }

  // `values`: left, top, width and height of the part.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int left = int(values[0]), top = int(values[1]);
    const int width = int(values[2]), height = int(values[3]);
    const int64_t line = int64_t(in.width) * C;
    if (width == in.width && height == in.height) {
      std::memcpy(out, in.data, size_t(line * in.height));
      return;
    }
    make_taps(across_.at(), width, in.width);
    make_taps(down_.at(), height, in.height);
    for (int y = 0; y < height; ++y) {
      const uint8_t *from = in.data + (int64_t(top + y) * in.width + left) * C;
      if (width == in.width)
        std::memcpy(lines_.at(y * line), from, size_t(line));
      else
        K::template across<C>(from, in.end, lines_.at(y * line), across_.at(), in.width);
    }
    // Taps with weight 0 may lie below the last line.
    std::memset(lines_.at(height * line), 0, size_t(2 * line));
    for (int y = 0; y < in.height; ++y, out += line) down(down_[y], out, line);
  }

 private:
  void down(const Taps &tap, uint8_t *out, int64_t line) const {
    const uint8_t *a = lines_.at(tap.first * line), *b = a + line, *c = b + line;
    const int32_t u = tap.weight[0], v = tap.weight[1], w = tap.weight[2];
    if (v == 0 && w == 0) {
      std::memcpy(out, a, size_t(line));
    } else if (w == 0) {
      for (int64_t i = 0; i < line; ++i)
        out[i] = uint8_t((a[i] * u + b[i] * v + HALF_WEIGHT) >> WEIGHT_BITS);
    } else {
      for (int64_t i = 0; i < line; ++i)
        out[i] = uint8_t((a[i] * u + b[i] * v + c[i] * w + HALF_WEIGHT) >> WEIGHT_BITS);
    }
  }

  const Buffer<Taps> across_, down_;
  const Buffer<uint8_t> lines_;
};

}  // namespace
