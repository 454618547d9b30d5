// Convolution with odd, symmetric weights along y and then along x; edges are mirrored.
//
// The result is defined by sums in double precision, tap by tap. A level is rounded, so sums in
// single precision give it too, unless they lie so close to the middle between two levels that
// their error could matter: those few values are summed again as defined.
#pragma once
#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "step.h"
#include "plain.hpp"

namespace {

class Convolution {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Convolution(const Step &step)
      : reach_(step.count / 2),
        line_(int64_t(step.width) * step.channels),
        rows_(2 * reach_ + step.height),
        columns_(2 * reach_ + step.width),
        single_(line_ + 2 * reach_ * step.channels),
        double_(line_),
        sums_(line_),
        weights_(reach_ + 1) {
    if (!*this) return;
    for (int64_t i = 0; i < step.height + 2 * reach_; ++i)
      rows_[i] = mirrored(i - reach_, step.height);
    for (int64_t i = 0; i < step.width + 2 * reach_; ++i)
      columns_[i] = mirrored(i - reach_, step.width);
  }

  explicit operator bool() const {
    return rows_ && columns_ && single_ && double_ && sums_ && weights_;
  }

  // `values`: the weights, from the first tap to the last.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    // Taps beyond the outermost weight add nothing.
    int64_t reach = reach_;
    while (reach > 0 && values[reach_ - reach] == 0.0) --reach;
    const double *centre = values + reach_;
    for (int64_t k = 0; k <= reach; ++k) weights_[k] = float(centre[k]);
    for (int y = 0; y < in.height; ++y) {
      uint8_t *to = out + y * line_;
      if (reach > MOST_REACH) {
        exact_line<C>(in, to, y, centre, reach);
        continue;
      }
      single_line<C>(in, y, reach);
      const float doubt = 0.5f - float(reach + 4) * 6e-5f;
      for (int64_t i = 0; i < line_; i += PART)
        round<C>(in, to, y, i, line_ - i < PART ? line_ - i : PART, centre, reach, doubt);
    }
  }

 private:
  static constexpr int64_t MOST_REACH = 32, PART = 64;

  const uint8_t *row(const View &in, int64_t y, int64_t tap) const {
    return in.data + rows_[y + reach_ + tap] * line_;
  }

  template <int C>
  void spread_edges(float *sums, int64_t reach, int width) const {
    for (int64_t k = -reach; k < 0; ++k)
      for (int c = 0; c < C; ++c) {
        sums[k * C + c] = sums[columns_[reach_ + k] * C + c];
        const int64_t right = width - 1 - k;
        sums[right * C + c] = sums[columns_[reach_ + right] * C + c];
      }
  }

  // Sums of one line in single precision, in `sums_`; equal weights are added first.
  template <int C>
  void single_line(const View &in, int y, int64_t reach) {
    float *down = single_.at(reach_ * C);
    const uint8_t *here = row(in, y, 0);
    float w = weights_[0];
    for (int64_t i = 0; i < line_; ++i) down[i] = w * float(here[i]);
    int64_t k = 1;
    for (; k + 1 <= reach; k += 2) {
      const uint8_t *a = row(in, y, -k), *b = row(in, y, k);
      const uint8_t *c = row(in, y, -k - 1), *d = row(in, y, k + 1);
      const float u = weights_[k], v = weights_[k + 1];
      for (int64_t i = 0; i < line_; ++i)
        down[i] += u * float(int(a[i]) + int(b[i])) + v * float(int(c[i]) + int(d[i]));
    }
    for (; k <= reach; ++k) {
      const uint8_t *a = row(in, y, -k), *b = row(in, y, k);
      w = weights_[k];
      for (int64_t i = 0; i < line_; ++i) down[i] += w * float(int(a[i]) + int(b[i]));
    }
    spread_edges<C>(down, reach, in.width);
    float *sums = sums_.at();
    w = weights_[0];
    for (int64_t i = 0; i < line_; ++i) sums[i] = w * down[i];
    k = 1;
    for (; k + 1 <= reach; k += 2) {
      const float *a = down - k * C, *b = down + k * C, *c = a - C, *d = b + C;
      const float u = weights_[k], v = weights_[k + 1];
      for (int64_t i = 0; i < line_; ++i) sums[i] += u * (a[i] + b[i]) + v * (c[i] + d[i]);
    }
    for (; k <= reach; ++k) {
      const float *a = down - k * C, *b = down + k * C;
      w = weights_[k];
      for (int64_t i = 0; i < line_; ++i) sums[i] += w * (a[i] + b[i]);
    }
  }

  // Rounds a part of a line; sums again what is in doubt.
  template <int C>
  void round(const View &in, uint8_t *out, int y, int64_t first, int64_t count,
             const double *centre, int64_t reach, float doubt) {
    const float *sums = sums_.at(first);
    int doubtful = 0;
    for (int64_t i = 0; i < count; ++i) {
      const float v = sums[i], whole = nearest_whole(v);
      // Weights are positive and add up to one, so levels stay within 0 and 255.
      out[first + i] = uint8_t(int(whole));
      doubtful |= int(std::fabs(v - whole) >= doubt);
    }
    if (!doubtful) return;
    for (int64_t i = 0; i < count; ++i)
      if (std::fabs(sums[i] - nearest_whole(sums[i])) >= doubt)
        out[first + i] = exact<C>(in, y, first + i, centre, reach);
  }

  template <int C>
  uint8_t exact(const View &in, int y, int64_t place, const double *centre, int64_t reach) const {
    const int64_t x = place / C, c = place % C;
    double sum = 0.0;
    for (int64_t across = -reach; across <= reach; ++across) {
      const int64_t column = columns_[reach_ + x + across] * C + c;
      double down = 0.0;
      for (int64_t k = -reach; k <= reach; ++k) down += centre[k] * row(in, y, k)[column];
      sum += centre[across] * down;
    }
    return level(sum);
  }

  template <int C>
  void exact_line(const View &in, uint8_t *out, int y, const double *centre, int64_t reach) {
    double *down = double_.at();
    for (int64_t i = 0; i < line_; ++i) down[i] = 0.0;
    for (int64_t k = -reach; k <= reach; ++k) {
      const uint8_t *from = row(in, y, k);
      const double w = centre[k];
      for (int64_t i = 0; i < line_; ++i) down[i] += w * from[i];
    }
    for (int64_t x = 0; x < in.width; ++x)
      for (int c = 0; c < C; ++c) {
        double sum = 0.0;
        for (int64_t k = -reach; k <= reach; ++k)
          sum += centre[k] * down[columns_[reach_ + x + k] * C + c];
        out[x * C + c] = level(sum);
      }
  }

  const int64_t reach_, line_;
  const Buffer<int64_t> rows_, columns_;
  const Buffer<float> single_;
  const Buffer<double> double_;
  const Buffer<float> sums_, weights_;
};

}  // namespace
