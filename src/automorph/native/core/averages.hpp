// Means of neighbourhoods with equal weights, in integers: squares, and lines in any direction.
//
// A mean of whole levels is never close to the middle between two levels without lying on it, so
// single precision rounds it as the definition in double precision does.
#pragma once
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "plain.hpp"
#include "step.h"

namespace {

// An image with a margin on all sides.
class Margin {
 public:
  Margin(const Step &step, int reach)
      : reach_(reach),
        channels_(step.channels),
        stride_(int64_t(step.width + 2 * reach) * step.channels),
        pixels_(stride_ * (step.height + 2 * reach)) {}

  explicit operator bool() const { return bool(pixels_); }
  int64_t stride() const { return stride_; }
  // The byte that is `down` lines below and `across` pixels right of the first pixel of line y.
  const uint8_t *at(int64_t y, int64_t down, int64_t across) const {
    return pixels_.at((y + down + reach_) * stride_ + (across + reach_) * channels_);
  }

  // Copies an image; `source` maps a place outside [0, side) into it.
  template <int C, class F>
  void fill(const View &in, F source) {
    const int64_t line = int64_t(in.width) * C, width = in.width, height = in.height;
    for (int64_t y = 0; y < height; ++y)
      std::memcpy(pixels_.at((y + reach_) * stride_ + reach_ * C), in.data + y * line, size_t(line));
    for (int64_t k = 1; k <= reach_; ++k) {
      copy_column<C>(height, -k, source(-k, width));
      copy_column<C>(height, width - 1 + k, source(width - 1 + k, width));
    }
    for (int64_t k = 1; k <= reach_; ++k) {
      copy_line(-k, source(-k, height));
      copy_line(height - 1 + k, source(height - 1 + k, height));
    }
  }

 private:
  template <int C>
  void copy_column(int64_t height, int64_t to, int64_t from) {
    uint8_t *line = pixels_.at(reach_ * stride_ + reach_ * C);
    for (int64_t y = 0; y < height; ++y, line += stride_)
      std::memcpy(line + to * C, line + from * C, C);
  }
  void copy_line(int64_t to, int64_t from) {
    std::memcpy(pixels_.at((to + reach_) * stride_), pixels_.at((from + reach_) * stride_),
                size_t(stride_));
  }

  const int64_t reach_, channels_, stride_;
  const Buffer<uint8_t> pixels_;
};

// The largest of the reaches that `values` begin with.
inline int farthest(const Step &step) {
  double most = 0.0;
  for (int64_t i = 0; i < step.n; ++i)
    most = step.values[i * step.count] > most ? step.values[i * step.count] : most;
  return int(most);
}

// The mean of a square with an odd side; edges are mirrored.
class Box {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Box(const Step &step)
      : margin_(step, farthest(step)), columns_(margin_.stride()) {}

  explicit operator bool() const { return margin_ && columns_; }

  // `values`: the reach of the square, at most 31 pixels.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int reach = int(values[0]), side = 2 * reach + 1;
    const int64_t line = int64_t(in.width) * C, wide = line + 2 * reach * C;
    margin_.fill<C>(in, mirrored);
    uint16_t *columns = columns_.at();
    std::memset(columns, 0, size_t(wide) * 2);
    for (int k = -reach; k < reach; ++k) add(columns, margin_.at(0, k, -reach), wide);
    const float share = 1.0f / float(side * side);
    add(columns, margin_.at(0, reach, -reach), wide);
    for (int y = 0;; ++y, out += line) {
      switch (side) {
        case 3: few_means<3, C>(out, line, share); break;
        case 5: few_means<5, C>(out, line, share); break;
        case 7: few_means<7, C>(out, line, share); break;
        default:
          if (side <= 15)
            means<uint16_t, C>(out, line, side, share);
          else
            means<uint32_t, C>(out, line, side, share);
      }
      if (y + 1 == in.height) return;
      const uint8_t *enter = margin_.at(y + 1, reach, -reach), *leave = margin_.at(y, -reach, -reach);
      for (int64_t i = 0; i < wide; ++i) columns[i] = uint16_t(columns[i] + enter[i] - leave[i]);
    }
  }

 private:
  static void add(uint16_t *sums, const uint8_t *from, int64_t count) {
    for (int64_t i = 0; i < count; ++i) sums[i] = uint16_t(sums[i] + from[i]);
  }

  template <int SIDE, int C>
  void few_means(uint8_t *__restrict out, int64_t line, float share) const {
    const uint16_t *columns = columns_.at();
    for (int64_t i = 0; i < line; ++i) {
      uint16_t sum = columns[i];
      for (int k = 1; k < SIDE; ++k) sum = uint16_t(sum + columns[i + k * C]);
      out[i] = uint8_t(int(float(int(sum)) * share + 0.5f));
    }
  }

  // `Sum` holds 255 times the pixels of the square.
  template <class Sum, int C>
  void means(uint8_t *out, int64_t line, int side, float share) {
    constexpr int64_t PART = 256;
    alignas(64) Sum sum[PART];
    for (int64_t first = 0; first < line; first += PART) {
      const int64_t count = line - first < PART ? line - first : PART;
      const uint16_t *columns = columns_.at(first);
      for (int64_t i = 0; i < count; ++i) sum[i] = columns[i];
      for (int k = 1; k < side; ++k) {
        const uint16_t *from = columns + k * C;
        for (int64_t i = 0; i < count; ++i) sum[i] = Sum(sum[i] + from[i]);
      }
      for (int64_t i = 0; i < count; ++i)
        out[first + i] = uint8_t(int(float(int(sum[i])) * share + 0.5f));
    }
  }

  Margin margin_;
  const Buffer<uint16_t> columns_;
};

// The mean of a few pixels at offsets; edges are mirrored.
class Motion {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Motion(const Step &step) : margin_(step, farthest(step)) {}

  explicit operator bool() const { return bool(margin_); }

  // `values`: the reach of the offsets, their number, and their rows and columns.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    margin_.fill<C>(in, mirrored);
    const int count = int(values[1]);
    const int64_t line = int64_t(in.width) * C;
    for (int y = 0; y < in.height; ++y, out += line)
      for (int64_t first = 0; first < line; first += PART) {
        const int64_t size = line - first < PART ? line - first : PART;
        if (count <= MOST)
          means<uint16_t>(out + first, values, y, first, size);
        else
          means<uint32_t>(out + first, values, y, first, size);
      }
  }

 private:
  static constexpr int64_t PART = 256;
  static constexpr int MOST = 257;  // pixels whose sum fits 16 bits

  template <class Sum>
  void means(uint8_t *__restrict out, const double *values, int y, int64_t first,
             int64_t size) const {
    alignas(64) Sum sums[PART] = {};
    const int count = int(values[1]);
    for (int k = 0; k < count; ++k) {
      const uint8_t *from =
          margin_.at(y, int64_t(values[2 + 2 * k]), int64_t(values[3 + 2 * k])) + first;
      for (int64_t i = 0; i < size; ++i) sums[i] = Sum(sums[i] + from[i]);
    }
    const float pixels = float(count);
    for (int64_t i = 0; i < size; ++i)
      out[i] = uint8_t(int(nearest_whole(float(int(sums[i])) / pixels)));
  }

  Margin margin_;
};

// The median of a square with an odd side; edges are replicated.
class Median {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Median(const Step &step) : margin_(step, farthest(step)) {}

  explicit operator bool() const { return bool(margin_); }

  // `values`: the reach of the square, at most 7 pixels.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    margin_.fill<C>(in, [](int64_t place, int64_t side) {
      return place < 0 ? 0 : place < side ? place : side - 1;
    });
    const int reach = int(values[0]);
    const int64_t line = int64_t(in.width) * C;
    for (int y = 0; y < in.height; ++y)
      for (int64_t i = 0; i < line; i += LANES) {
        alignas(64) uint8_t found[LANES] = {};
        if (reach == 1)
          median<K, 1>(y, i, reach, found);
        else if (reach == 2)
          median<K, 2>(y, i, reach, found);
        else if (reach == 3)
          median<K, 3>(y, i, reach, found);
        else
          by_bits<0>(y, i, reach, found);
        std::memcpy(out + y * line + i, found, size_t(line - i < LANES ? line - i : LANES));
      }
  }

 private:
  static constexpr int LANES = 64;

  template <class K, int R>
  void median(int y, int64_t first, int reach, uint8_t *found) const {
    if constexpr (K::ORDERS)
      select<typename K::Levels, R>(y, first, found);
    else
      by_bits<R>(y, first, reach, found);
  }

  template <class Levels, int R>
  void select(int y, int64_t first, uint8_t *found) const {
    constexpr int SIDE = 2 * R + 1, ALL = SIDE * SIDE, SOME = ALL / 2 + 2;
    const uint8_t *pixel[ALL];
    for (int k = 0; k < ALL; ++k) pixel[k] = margin_.at(y, k / SIDE - R, k % SIDE - R) + first;
    for (int i = 0; i < LANES; i += Levels::COUNT) {
      Levels kept[SOME];
      for (int k = 0; k < SOME; ++k) kept[k] = Levels::load(pixel[k] + i);
      drop_ends<SOME, SOME, ALL>(kept, pixel, i);
      kept[1].store(found + i);
    }
  }

  // Drops the least and the largest of a few pixels more than half of them, takes one more, and so
  // on until one is left: number 1.
  template <int COUNT, int NEXT, int ALL, class Levels>
  static void drop_ends(Levels *kept, const uint8_t *const *pixel, int at) {
    constexpr int HALF = COUNT / 2, LAST = COUNT - 1;
    for (int k = 0; k < HALF; ++k) Levels::order(kept[k], kept[LAST - k]);
    for (int k = 1; k < HALF; ++k) {
      Levels::order(kept[0], kept[k]);
      Levels::order(kept[LAST - k], kept[LAST]);
    }
    if constexpr (COUNT % 2) {
      Levels::order(kept[0], kept[HALF]);
      Levels::order(kept[HALF], kept[LAST]);
    }
    if constexpr (NEXT < ALL) {
      kept[0] = Levels::load(pixel[NEXT] + at);
      drop_ends<COUNT - 1, NEXT + 1, ALL>(kept, pixel, at);
    }
  }

  // The median is the largest level that more than half of the pixels reach: bit by bit, from the
  // highest. `R` is the reach, if the compiler shall know it.
  template <int R>
  void by_bits(int y, int64_t first, int any, uint8_t *out) const {
    const int reach = R > 0 ? R : any, side = 2 * reach + 1;
    const uint8_t most = uint8_t(side * side / 2);
    alignas(64) uint8_t found[LANES] = {}, reached[LANES], wanted[LANES];
    for (int bit = 128; bit; bit /= 2) {
      for (int i = 0; i < LANES; ++i) {
        wanted[i] = uint8_t(found[i] | bit);
        reached[i] = 0;
      }
      for (int dy = -reach; dy <= reach; ++dy)
        for (int dx = -reach; dx <= reach; ++dx) {
          const uint8_t *from = margin_.at(y, dy, dx) + first;
          for (int i = 0; i < LANES; ++i) reached[i] = uint8_t(reached[i] + (from[i] >= wanted[i]));
        }
      for (int i = 0; i < LANES; ++i) found[i] = reached[i] > most ? wanted[i] : found[i];
    }
    std::memcpy(out, found, LANES);
  }

  Margin margin_;
};

}  // namespace
