// Fields of smoothed noise that displace pixels.
#pragma once
#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "places.hpp"
#include "step.h"
#include "step_words.hpp"

namespace {

// `values`: the amplitudes along x and along y in pixels, and 1 for normal noise (0: uniform).
// `shared`: the reach of the smoothing, its weights from the centre outwards, and a normal number
// for each of 2^16 words. Sums have the order of SciPy's `gaussian_filter`.
class FieldPlaces : public Frame {
 public:
  explicit FieldPlaces(const Step &step)
      : Frame(step),
        step_(step),
        reach_(int64_t(step.shared[0])),
        weights_(step.shared + 1),
        table_(step.shared + 2 + reach_),
        pixels_(int64_t(width) * height),
        words_(2 * pixels_),
        fields_(2 * pixels_),
        line_(width + 2 * reach_) {}

  explicit operator bool() const { return words_ && fields_ && line_; }

  void begin(const double *values, int64_t row) {
    row_bits(words_of(step_, row, 0), 2 * pixels_, words_.at());
    double *noise = fields_.at();
    if (values[2] != 0.0) {
      for (int64_t i = 0; i < 2 * pixels_; ++i) noise[i] = table_[words_[i] >> 16];
      double most = 1e-6;
      for (int64_t i = 0; i < 2 * pixels_; ++i) {
        const double size = std::fabs(noise[i]);
        most = size > most ? size : most;
      }
      for (int64_t i = 0; i < 2 * pixels_; ++i) noise[i] /= most;
    } else {
      for (int64_t i = 0; i < 2 * pixels_; ++i) noise[i] = words_[i] / 2147483648.0 - 1.0;
    }
  }

  void line(const double *values, int y, double *__restrict u, double *__restrict v) const {
    smooth(fields_.at(), y, u);
    smooth(fields_.at(pixels_), y, v);
    for (int x = 0; x < width; ++x) {
      u[x] = x + 0.5 + u[x] * values[0];
      v[x] = y + 0.5 + v[x] * values[1];
    }
  }

 private:
  const double *row(const double *field, int64_t y) const {
    return field + (y < 0 ? 0 : y < height ? y : height - 1) * width;
  }

  // Smooths a line of a field along y and then along x; edges are replicated.
  void smooth(const double *field, int y, double *out) const {
    double *down = line_.at(reach_);
    const double *here = row(field, y);
    for (int x = 0; x < width; ++x) down[x] = here[x] * weights_[0];
    for (int64_t k = reach_; k > 0; --k) {
      const double *above = row(field, y - k), *below = row(field, y + k), w = weights_[k];
      for (int x = 0; x < width; ++x) down[x] += (above[x] + below[x]) * w;
    }
    for (int64_t k = 1; k <= reach_; ++k) {
      down[-k] = down[0];
      down[width - 1 + k] = down[width - 1];
    }
    for (int x = 0; x < width; ++x) out[x] = down[x] * weights_[0];
    for (int64_t k = reach_; k > 0; --k) {
      const double *left = down - k, *right = down + k, w = weights_[k];
      for (int x = 0; x < width; ++x) out[x] += (left[x] + right[x]) * w;
    }
  }

  const Step &step_;
  const int64_t reach_;
  const double *const weights_, *const table_;
  const int64_t pixels_;
  const Buffer<uint32_t> words_;
  const Buffer<double> fields_, line_;
};

}  // namespace
