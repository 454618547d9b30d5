// Warps along each axis alone: all lines read from the same columns.
//
// Bilinear levels are computed in single precision, first along x, for each line of the input once;
// see sampling.hpp for what makes them those of the definition.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "sampling.hpp"
#include "step.h"
#include "warp.hpp"

namespace {

// `values`: the factor.
struct ZoomAxes : Frame {
  using Frame::Frame;
  double column(const double *values, int x) const { return (x + 0.5 - cx) / values[0] + cx; }
  double row(const double *values, int y) const { return (y + 0.5 - cy) / values[0] + cy; }
};

// `values`: the places of all columns, and then those of all rows.
struct GridAxes : Frame {
  using Frame::Frame;
  double column(const double *values, int x) const { return values[x]; }
  double row(const double *values, int y) const { return values[width + y]; }
};

template <class Axes>
class SeparableWarp {
 public:
  static constexpr bool IN_PLACE = false;

  explicit SeparableWarp(const Step &step)
      : step_(step),
        axes_(step),
        fill_(step.fill, step.channels),
        place_(step.width),
        exact_share_(step.width),
        share_(step.width),
        near_(2 * step.width),
        lines_(2 * int64_t(step.width) * step.channels + 8) {}

  explicit operator bool() const { return place_ && share_ && exact_share_ && near_ && lines_; }

  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int64_t line = int64_t(in.width) * C;
    for (int x = 0; x < in.width; ++x) along_x<C>(in, axes_.column(values, x), x);
    held_[0] = held_[1] = -1;
    for (int y = 0; y < in.height; ++y, out += line) {
      const double place = axes_.row(values, y);
      if (step_.outside == FILL && !(place >= 0.0 && place < in.height)) {
        fill_.write(out, line);
        continue;
      }
      if (step_.bilinear)
        bilinear<K, C>(in, out, place);
      else
        nearest<C>(in, out, place);
      if (step_.outside == FILL)
        for (int x = 0; x < in.width; ++x)
          if (!(place_[x] >= 0.0 && place_[x] < in.width))
            std::memcpy(out + x * C, fill_.run, C);
    }
  }

 private:
  // The line or column that is shown at a whole place, which may lie outside the image.
  int64_t shown(double place, int side) const {
    if (step_.outside != REFLECT) return column_of(place, side);
    const double far = 9e18;
    return mirrored(place > -far ? (place < far ? int64_t(place) : int64_t(far)) : -int64_t(far),
                    side);
  }

  template <int C>
  void along_x(const View &in, double place, int x) {
    place_[x] = place;
    const double left = step_.bilinear ? std::floor(place - 0.5) : std::floor(place);
    exact_share_[x] = place - 0.5 - left;
    share_[x] = float(exact_share_[x]);
    near_[2 * x] = int32_t(shown(left, in.width) * C);
    near_[2 * x + 1] = int32_t(shown(left + 1.0, in.width) * C);
  }

  template <int C>
  void nearest(const View &in, uint8_t *out, double place) const {
    const uint8_t *from = in.data + shown(std::floor(place), in.height) * in.width * C;
    const bool whole = C == 3 && from + int64_t(in.width) * C < in.end;
    for (int x = 0; x < in.width; ++x)
      Plain::copy_pixel<C>(out + x * C, from + near_[2 * x], whole && x + 1 < in.width);
  }

  // Interpolates a line of the input along x; two lines are held.
  template <class K, int C>
  const float *across(const View &in, int64_t y, int64_t other) {
    const int64_t line = int64_t(in.width) * C;
    const int slot = held_[0] == y ? 0 : held_[1] == y ? 1 : held_[0] == other ? 1 : 0;
    float *out = lines_.at(slot * (line + 4));
    if (held_[slot] == y) return out;
    held_[slot] = y;
    const uint8_t *from = in.data + y * line;
    if (from + line < in.end)  // four bytes of the last pixel can be read
      K::template mix_along<C>(from, near_.at(), share_.at(), out, in.width);
    else
      PlainSampling::mix_along<C>(from, near_.at(), share_.at(), out, in.width);
    return out;
  }

  template <class K, int C>
  void bilinear(const View &in, uint8_t *out, double place) {
    const double top = std::floor(place - 0.5);
    const double exact_dy = place - 0.5 - top;
    const auto dy = float(exact_dy);
    const int64_t first = shown(top, in.height), second = shown(top + 1.0, in.height);
    const float *a = across<K, C>(in, first, second), *b = across<K, C>(in, second, first);
    const int64_t line = int64_t(in.width) * C;
    constexpr int64_t PART = 64;
    alignas(64) uint8_t doubtful[PART] = {};
    for (int64_t from = 0; from < line; from += PART) {
      const int64_t count = from + PART < line ? PART : line - from;
      const float *upper = a + from, *lower = b + from;
      int some = 0;
      for (int64_t i = 0; i < count; ++i) {
        const float v = upper[i] + (lower[i] - upper[i]) * dy, whole = nearest_whole(v);
        out[from + i] = uint8_t(int(whole));
        doubtful[i] = std::fabs(v - whole) > DOUBT;
        some |= doubtful[i];
      }
      for (int64_t i = 0; some && i < count; i += 8) {
        uint64_t eight;
        std::memcpy(&eight, doubtful + i, 8);
        for (int64_t k = i; eight && k < i + 8 && k < count; ++k)
          if (doubtful[k])
            out[from + k] =
                exact<C>(in.data + first * line, in.data + second * line, from + k, exact_dy);
      }
    }
  }

  // One level as defined.
  template <int C>
  uint8_t exact(const uint8_t *upper, const uint8_t *lower, int64_t i, double dy) const {
    const int64_t x = i / C, c = i % C, x0 = near_[2 * x] + c, x1 = near_[2 * x + 1] + c;
    const double dx = exact_share_[x];
    const double a = upper[x0] + (upper[x1] - upper[x0]) * dx;
    const double b = lower[x0] + (lower[x1] - lower[x0]) * dx;
    return uint8_t(int(a + (b - a) * dy + 0.5));
  }

  static constexpr float DOUBT = 0.5f - 2e-4f;

  const Step &step_;
  const Axes axes_;
  const Fill fill_;
  const Buffer<double> place_, exact_share_;
  const Buffer<float> share_;
  const Buffer<int32_t> near_;  // the bytes of the two neighbours along a line
  const Buffer<float> lines_;
  int64_t held_[2] = {-1, -1};
};

}  // namespace
