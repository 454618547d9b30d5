// Contrast-limited adaptive histogram equalization: operations/clahe.py line by line, in integers.
#pragma once
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "plain.hpp"
#include "step.h"

namespace {

// `values`: how many pixels of a tile may have one level, and the numbers of tiles along y and x,
// which are those of all images.
// `shared`: the bytes of the four tables.
class EqualizeTiles {
 public:
  static constexpr bool IN_PLACE = true;

  explicit EqualizeTiles(const Step &step)
      : height_(step.height),
        width_(step.width),
        light_(int64_t(step.height) * step.width),
        tables_(int64_t(step.values[1]) * int64_t(step.values[2]) * LEVELS),
        across_(step.width) {
    const auto *bytes = reinterpret_cast<const uint8_t *>(step.shared);
    std::memcpy(linear_, bytes, sizeof linear_);
    root_ = reinterpret_cast<const uint16_t *>(bytes + sizeof linear_);
    lightness_ = bytes + sizeof linear_ + 2 * ROOTS;
    level_ = lightness_ + ROOTS;
  }

  explicit operator bool() const { return light_ && tables_ && across_; }

  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    rows_ = int(values[1]);
    columns_ = int(values[2]);
    tall_ = (height_ + rows_ - 1) / rows_;
    wide_ = (width_ + columns_ - 1) / columns_;
    find_light<C>(in.data);
    for (int tile = 0; tile < rows_ * columns_; ++tile) equalize(tile, int(values[0]));
    for (int x = 0; x < width_; ++x) across_[x] = weigh(x, wide_, columns_);
    for (int y = 0; y < height_; ++y) {
      const int64_t line = int64_t(y) * width_;
      for (int x = 0; x < width_; x += BLOCK) {
        const int count = width_ - x < BLOCK ? width_ - x : BLOCK;
        interpolate(line, y, x, count);
        if (C == 1)
          for (int i = 0; i < count; ++i) out[line + x + i] = uint8_t(new_[i]);
        else
          recolour<C>(in.data + (line + x) * C, out + (line + x) * C, line + x, count);
      }
    }
  }

 private:
  static constexpr int LEVELS = 256, ROOTS = 1 << 12, BLOCK = 64, SHARE = 1 << 11;

  // The numbers of the tiles before and after a place, and the weight of the latter.
  struct Between {
    int before, after, weight;
  };

  static Between weigh(int place, int tile, int tiles) {
    const int twice = 2 * place - tile, first = twice < 0 ? -1 : twice / (2 * tile);
    const int last = tiles - 1, rest = twice - first * 2 * tile;
    return {first < 0 ? 0 : first, first < last ? first + 1 : last,
            rest * SHARE / (2 * tile)};
  }

  template <int C>
  void find_light(const uint8_t *in) {
    const int64_t pixels = int64_t(height_) * width_;
    if (C == 1) {
      std::memcpy(light_.at(), in, size_t(pixels));
      return;
    }
    for (int64_t p = 0; p < pixels; ++p) {
      const uint8_t *at = in + p * C;
      const int part = 3484 * linear_[at[0]] + 11718 * linear_[at[1]] + 1182 * linear_[at[2]];
      light_[p] = lightness_[part >> 18];
    }
  }

  // Writes the table of a tile; places outside the image are mirrored into it.
  void equalize(int tile, int limit) {
    const int64_t top = int64_t(tile / columns_) * tall_, left = int64_t(tile % columns_) * wide_;
    const bool mirrors = height_ > 8 && width_ > 8;
    int counts[LEVELS] = {};
    for (int64_t y = top; y < top + tall_; ++y) {
      const uint8_t *line = light_.at(inside(y, height_, mirrors) * width_);
      const int64_t end = left + wide_, known = end < width_ ? end : width_;
      for (int64_t x = left; x < known; ++x) ++counts[line[x]];
      for (int64_t x = left < known ? known : left; x < end; ++x)
        ++counts[line[inside(x, width_, mirrors)]];
    }
    int over = 0;
    for (int v = 0; v < LEVELS; ++v)
      if (counts[v] > limit) {
        over += counts[v] - limit;
        counts[v] = limit;
      }
    for (int v = 0; v < LEVELS; ++v) counts[v] += over / LEVELS;
    const int rest = over % LEVELS, step = rest && LEVELS / rest > 1 ? LEVELS / rest : 1;
    for (int given = 0; given < rest && given * step < LEVELS; ++given) ++counts[given * step];
    const double scale = 255.0 / double(int64_t(tall_) * wide_);
    uint8_t *table = tables_.at(int64_t(tile) * LEVELS);
    int sum = 0;
    for (int v = 0; v < LEVELS; ++v) table[v] = level((sum += counts[v]) * scale);
  }

  static int64_t inside(int64_t place, int64_t side, bool mirrors) {
    return place < side ? place : mirrors ? mirrored(place, side) : side - 1;
  }

  // The new levels of some pixels of a line, between the tables of four tiles.
  void interpolate(int64_t line, int y, int x, int count) {
    const Between down = weigh(y, tall_, rows_);
    const uint8_t *above = tables_.at(int64_t(down.before) * columns_ * LEVELS);
    const uint8_t *below = tables_.at(int64_t(down.after) * columns_ * LEVELS);
    for (int i = 0; i < count; ++i) {
      const Between side = across_[x + i];
      const int v = light_[line + x + i];
      const int left = side.before * LEVELS + v, right = side.after * LEVELS + v;
      const int upper = above[left] * (SHARE - side.weight) + above[right] * side.weight;
      const int lower = below[left] * (SHARE - side.weight) + below[right] * side.weight;
      new_[i] = (upper * (SHARE - down.weight) + lower * down.weight + (1 << 21)) >> 22;
    }
  }

  // Gives pixels their new lightness.
  template <int C>
  void recolour(const uint8_t *in, uint8_t *out, int64_t first, int count) {
    int parts[3][BLOCK] = {}, numbers[3][BLOCK], more[BLOCK] = {};
    for (int i = 0; i < count; ++i) {
      for (int c = 0; c < 3; ++c) numbers[c][i] = linear_[in[i * C + c]];
      more[i] = ((new_[i] - light_[first + i]) * 3545 + 32) >> 6;
    }
    for (int i = count; i < BLOCK; ++i) numbers[0][i] = numbers[1][i] = numbers[2][i] = 0;
    for (int i = 0; i < BLOCK; ++i) {
      const int r = numbers[0][i], g = numbers[1][i], b = numbers[2][i];
      parts[0][i] = (7110 * r + 6164 * g + 3110 * b) >> 18;
      parts[1][i] = (3484 * r + 11718 * g + 1182 * b) >> 18;
      parts[2][i] = (291 * r + 1794 * g + 14299 * b) >> 18;
    }
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < BLOCK; ++i) parts[k][i] = root_[parts[k][i]];
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < BLOCK; ++i) {
        const int root = parts[k][i] + more[i];
        const int cube = ((root * root >> 14) * root) >> 12, flat = ((root - 2260) * 33665) >> 16;
        const int part = root > 3390 ? cube : flat;
        parts[k][i] = part < 1 << 17 ? part : 1 << 17;
      }
    for (int i = 0; i < BLOCK; ++i) {
      const int x = parts[0][i], y = parts[1][i], z = parts[2][i];
      numbers[0][i] = bounded(12615 * x - 6296 * y - 2223 * z);
      numbers[1][i] = bounded(-3773 * x + 7684 * y + 185 * z);
      numbers[2][i] = bounded(217 * x - 836 * y + 4715 * z);
    }
    for (int i = 0; i < count; ++i)
      for (int c = 0; c < 3; ++c) out[i * C + c] = level_[numbers[c][i]];
  }

  static int bounded(int sum) {
    const int number = (sum + (1 << 11)) >> 12;
    return (number < 0 ? 0 : number < 65535 ? number : 65535) >> 2;
  }

  const int height_, width_;
  int rows_ = 1, columns_ = 1, tall_ = 1, wide_ = 1;
  const Buffer<uint8_t> light_, tables_;
  const Buffer<Between> across_;
  uint16_t linear_[LEVELS];
  const uint16_t *root_;
  const uint8_t *lightness_, *level_;
  int new_[BLOCK];
};

}  // namespace
