// Fields of smoothed noise that displace pixels.
#pragma once
#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "places.hpp"
#include "step.h"
#include "step_words.hpp"

namespace {

// The two definitions of ElasticTransform: the first computes fields in double precision, of a word
// for each number; the second in single precision, of half a word (that of x is the lower one).
//
// `values`: the amplitudes along x and along y in pixels, and 1 for normal noise (0: uniform).
// `shared`: the reach of the smoothing and, as numbers of type T, its weights from the centre
// outwards and a normal number for each of 2^16 words. Sums have the order of SciPy's
// `gaussian_filter`.
template <class T>
class FieldPlaces : public Frame {
 public:
  explicit FieldPlaces(const Step &step)
      : Frame(step),
        step_(step),
        reach_(int64_t(step.shared[0])),
        weights_(reinterpret_cast<const T *>(step.shared + 1)),
        table_(reinterpret_cast<const T *>(
            step.shared + 1 + ((reach_ + 1) * int64_t(sizeof(T)) + 7) / 8)),
        pixels_(int64_t(width) * height),
        words_(HALVES ? pixels_ : 2 * pixels_),
        fields_(2 * pixels_),
        line_(width + 2 * reach_),
        sums_(width) {}

  explicit operator bool() const { return words_ && fields_ && line_ && sums_; }

  void begin(const double *values, int64_t row) {
    const bool normal = values[2] != 0.0;
    row_bits(words_of(step_, row, 0), HALVES ? pixels_ : 2 * pixels_, words_.at());
    draw(normal);
    most_ = normal ? most() : 1.0;
    if (HALVES) return;
    for (int64_t i = 0; normal && i < 2 * pixels_; ++i) fields_[i] = T(fields_[i] / most_);
    most_ = 1.0;
  }

  void line(const double *values, int y, double *__restrict u, double *__restrict v) const {
    const double across = values[0] / most_, down = values[1] / most_;
    const T *sums = sums_.at();
    smooth(fields_.at(), y);
    for (int x = 0; x < width; ++x) u[x] = x + 0.5 + double(sums[x]) * across;
    smooth(fields_.at(pixels_), y);
    for (int x = 0; x < width; ++x) v[x] = y + 0.5 + double(sums[x]) * down;
  }

 private:
  static constexpr bool HALVES = sizeof(T) == 4;

  void draw(bool normal) {
    const uint32_t *words = words_.at();
    T *one = fields_.at(), *other = fields_.at(pixels_);
    if (HALVES && normal) {
      for (int64_t i = 0; i < pixels_; ++i) {
        one[i] = table_[words[i] & 0xFFFF];
        other[i] = table_[words[i] >> 16];
      }
    } else if (HALVES) {
      for (int64_t i = 0; i < pixels_; ++i) {
        one[i] = (T(int32_t(words[i] & 0xFFFF)) + T(0.5)) / T(32768) - T(1);
        other[i] = (T(int32_t(words[i] >> 16)) + T(0.5)) / T(32768) - T(1);
      }
    } else if (normal) {
      for (int64_t i = 0; i < 2 * pixels_; ++i) one[i] = table_[words[i] >> 16];
    } else {
      for (int64_t i = 0; i < 2 * pixels_; ++i) one[i] = T(words[i] / 2147483648.0 - 1.0);
    }
  }

  double most() const {
    T most = 0;
    for (int64_t i = 0; i < 2 * pixels_; ++i) {
      const T size = std::fabs(fields_[i]);
      most = size > most ? size : most;
    }
    return most > 1e-6 ? most : 1e-6;
  }

  const T *row(const T *field, int64_t y) const {
    return field + (y < 0 ? 0 : y < height ? y : height - 1) * width;
  }

  // Smooths a line of a field along y and then along x, to `sums_`; edges are replicated.
  void smooth(const T *field, int y) const {
    T *down = line_.at(reach_);
    weigh([&](int64_t k) { return row(field, y + k); }, down);
    for (int64_t k = 1; k <= reach_; ++k) {
      down[-k] = down[0];
      down[width - 1 + k] = down[width - 1];
    }
    weigh([&](int64_t k) { return down + k; }, sums_.at());
  }

  // Adds up lines, `line(k)` with the weight of tap k; some taps at once, since sums take time to
  // store.
  template <class F>
  void weigh(const F &line, T *__restrict sums) const {
    const T *here = line(0);
    for (int x = 0; x < width; ++x) sums[x] = here[x] * weights_[0];
    int64_t k = reach_;
    for (; k >= TAPS; k -= TAPS) add<TAPS>(k, line, sums);
    for (; k > 0; --k) add<1>(k, line, sums);
  }

  template <int N, class F>
  void add(int64_t k, const F &line, T *__restrict sums) const {
    const T *before[N], *after[N];
    T weight[N];
    for (int j = 0; j < N; ++j) {
      before[j] = line(j - k);
      after[j] = line(k - j);
      weight[j] = weights_[k - j];
    }
    const int count = width;
    for (int x = 0; x < count; ++x) {
      T sum = sums[x];
      for (int j = 0; j < N; ++j) sum += (before[j][x] + after[j][x]) * weight[j];
      sums[x] = sum;
    }
  }

  static constexpr int TAPS = 4;

  const Step &step_;
  const int64_t reach_;
  const T *const weights_, *const table_;
  const int64_t pixels_;
  const Buffer<uint32_t> words_;
  const Buffer<T> fields_, line_, sums_;
  double most_ = 1.0;
};

}  // namespace
