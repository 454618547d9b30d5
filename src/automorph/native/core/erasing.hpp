// Rectangles that are erased, drawn and filled as operations/dropouts.py and erasing.py do.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "buffer.hpp"
#include "plain.hpp"
#include "step.h"
#include "step_words.hpp"

namespace {

struct Rectangle {
  int64_t x, y, w, h;
};

// The part of a rectangle within an image.
inline Rectangle within(const Rectangle &r, const View &in) {
  const int64_t x = r.x < 0 ? 0 : r.x, y = r.y < 0 ? 0 : r.y;
  const int64_t right = r.x + r.w < in.width ? r.x + r.w : in.width;
  const int64_t bottom = r.y + r.h < in.height ? r.y + r.h : in.height;
  return {x, y, right > x ? right - x : 0, bottom > y ? bottom - y : 0};
}

// Splits words into bytes, the lowest first.
inline void bytes_of(const uint32_t *words, int64_t count, uint8_t *out) {
  for (int64_t i = 0; i < count; ++i)
    for (int k = 0; k < 4; ++k) out[4 * i + k] = uint8_t(words[i] >> (8 * k));
}

// Writes the colours of a run of pixels; alpha is kept.
template <int C>
inline void put(const uint8_t *colours, int64_t pixels, uint8_t *out) {
  if (C != 4) {
    std::memcpy(out, colours, size_t(pixels * C));
    return;
  }
  for (int64_t p = 0; p < pixels; ++p) std::memcpy(out + p * C, colours + p * 3, 3);
}

// How rectangles are drawn; `shared` begins with these numbers.
struct Drawing {
  enum Rule { REDRAWN, CLIPPED, FITTED, HOLES };

  double rule, low, high;     // the rule, and the range of the number of rectangles
  double first[2], second[2]; // area and ratio; of holes: height and width
  double share;               // whether the sides of holes are shares of the image's
  double content;             // 0: colour, 1: noise, 2: normal numbers, 3: one colour of them
  double fill[3], deviation[3];
};

class Erase {
 public:
  static constexpr bool IN_PLACE = true;
  static constexpr int TRIES = 10, DRAWS = 22, NOISE = 1 << 16;

  explicit Erase(const Step &step)
      : step_(step),
        table_(step.shared + sizeof(Drawing) / sizeof(double)),
        words_(2 + DRAWS * (int64_t(step.shared[2]) + 1)),
        line_(int64_t(step.width) * 3 + 1),
        line_bytes_(int64_t(step.width) * 3 + 8) {
    std::memcpy(&how_, step.shared, sizeof(how_));
  }

  explicit operator bool() const { return words_ && line_ && line_bytes_; }

  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *, int64_t row) {
    const bool holes = how_.rule == Drawing::HOLES;
    const int64_t draws = holes ? 4 : DRAWS, most = int64_t(how_.high);
    row_bits(words_of(step_, row, 1), 1 + draws * (most > 1 ? most : 1), words_.at());
    const int64_t choices = most - int64_t(how_.low) + 1;
    const int64_t number = int64_t(how_.low) + (int64_t(words_[0] >> 8) * choices >> 24);
    for (int64_t k = 0; k < number; ++k) {
      double chance[DRAWS];
      for (int64_t i = 0; i < draws; ++i) chance[i] = unit(words_[1 + draws * k + i]);
      Rectangle r = {0, 0, 0, 0};
      const bool found = holes                           ? hole(chance, in, &r)
                         : how_.rule == Drawing::CLIPPED ? clipped(chance, in, &r)
                         : how_.rule == Drawing::FITTED  ? fitted(chance, in, &r)
                                                         : redrawn(chance, number, in, &r);
      if (found) paint<C>(in, out, within(r, in), row);
    }
  }

 private:
  // The area and ratio of a rectangle are drawn anew until it is smaller than the image.
  bool redrawn(const double *chance, int64_t number, const View &in, Rectangle *r) const {
    const double small = how_.first[0], large = how_.first[1];
    const double first = std::log(how_.second[0]), last = std::log(how_.second[1]);
    for (int k = 0; k < TRIES; ++k) {
      const double area =
          (small + (large - small) * chance[2 * k]) * in.height * in.width / double(number);
      const double ratio = std::exp(first + (last - first) * chance[2 * k + 1]);
      const double h = std::nearbyint(std::sqrt(area * ratio));
      const double w = std::nearbyint(std::sqrt(area / ratio));
      if (h < in.height && w < in.width) return placed(chance, w, h, in, r);
    }
    return false;
  }

  bool clipped(const double *chance, const View &in, Rectangle *r) const {
    const double small = how_.first[0], large = how_.first[1];
    double low = how_.second[0], high = how_.second[1];
    const double area = (small + (large - small) * chance[0]) * in.height * in.width;
    if (low < 1.0 && 1.0 < high) (chance[2] < 0.5 ? high : low) = 1.0;
    const double ratio = low + (high - low) * chance[1];
    const double h = std::nearbyint(std::sqrt(area * ratio));
    const double w = std::nearbyint(std::sqrt(area / ratio));
    return placed(chance, w < 1.0 ? 1.0 : w > in.width ? in.width : w,
                  h < 1.0 ? 1.0 : h > in.height ? in.height : h, in, r);
  }

  bool fitted(const double *chance, const View &in, Rectangle *r) const {
    const double height = in.height, width = in.width;
    const double narrow = how_.second[0], wide = how_.second[1];
    double most = how_.first[1] * height * width;
    for (const double limit : {narrow * height * height, wide * height * height,
                               width * width / narrow, width * width / wide})
      most = limit < most ? limit : most;
    const double least = how_.first[0] * height * width;
    if (most < least) return false;
    const double drawn = least + (most - least) * chance[0], area = drawn > 1e-9 ? drawn : 1e-9;
    const double top = width * width / area, bottom = area / (height * height);
    const double high = top < wide ? top : wide, low = bottom > narrow ? bottom : narrow;
    if (low > high) return false;
    const double ratio = low + (high - low) * chance[1];
    const double h = std::nearbyint(std::sqrt(area / ratio));
    const double w = std::nearbyint(std::sqrt(area * ratio));
    return placed(chance, w < width ? w : width, h < height ? h : height, in, r);
  }

  static bool placed(const double *chance, double w, double h, const View &in, Rectangle *r) {
    *r = {int64_t(chance[20] * (in.width - w + 1.0)), int64_t(chance[21] * (in.height - h + 1.0)),
          int64_t(w), int64_t(h)};
    return true;
  }

  bool hole(const double *chance, const View &in, Rectangle *r) const {
    const int64_t h = side(how_.first, chance[0], in.height);
    const int64_t w = side(how_.second, chance[1], in.width);
    *r = {int64_t(chance[2] * double(in.width - w + 1)),
          int64_t(chance[3] * double(in.height - h + 1)), w, h};
    return true;
  }

  int64_t side(const double *ends, double chance, int whole) const {
    if (how_.share != 0.0) {
      const auto drawn = int64_t(whole * (ends[0] + (ends[1] - ends[0]) * chance));
      return drawn < whole ? drawn : whole;
    }
    const int64_t low = ends[0] < whole ? int64_t(ends[0]) : whole;
    const int64_t high = ends[1] < whole ? int64_t(ends[1]) : whole;
    return low + int64_t(chance * double(high - low + 1));
  }

  // Fills a rectangle with what the whole image would be filled with there.
  template <int C>
  void paint(const View &in, uint8_t *out, const Rectangle &r, int64_t row) {
    constexpr int OWN = COLOURS<C>;
    const int64_t count = r.w * OWN;
    uint8_t *values = line_bytes_.at();
    if (how_.content == 0.0 || how_.content == 3.0) {
      uint32_t words[3];
      row_bits(words_of(step_, row, NOISE), OWN, words);
      for (int64_t i = 0; i < count; ++i)
        values[i] = i < OWN ? content(words[i], int(i)) : values[i - OWN];
    }
    for (int64_t y = r.y; y < r.y + r.h; ++y) {
      const int64_t first = (y * in.width + r.x) * OWN, skipped = first % 4;
      if (how_.content == 1.0) {  // four bytes to a word
        const int64_t needed = (skipped + count + 3) / 4;
        row_bits(words_of(step_, row, NOISE + first / 4), needed, line_.at());
        bytes_of(line_.at(), needed, line_bytes_.at());
        values = line_bytes_.at(skipped);
      } else if (how_.content == 2.0) {
        row_bits(words_of(step_, row, NOISE + first), count, line_.at());
        for (int64_t i = 0; i < count; ++i) values[i] = content(line_[i], int(i % OWN));
      }
      put<C>(values, r.w, out + (y * in.width + r.x) * C);
    }
  }

  uint8_t content(uint32_t word, int c) const {
    if (how_.content == 0.0) return level(how_.fill[c]);
    return level(how_.fill[c] + table_[word >> 16] * how_.deviation[c]);
  }

  const Step &step_;
  const double *const table_;  // a normal number for each of 2^16 words, if the content needs it
  Drawing how_;
  const Buffer<uint32_t> words_, line_;
  const Buffer<uint8_t> line_bytes_;
};

// Fills one rectangle with random bytes, four to a word, in the order of its pixels.
class EraseWithNoise {
 public:
  static constexpr bool IN_PLACE = true;

  explicit EraseWithNoise(const Step &step)
      : step_(step),
        words_(int64_t(step.height) * step.width * step.channels / 4 + 1),
        bytes_(int64_t(step.height) * step.width * step.channels + 4) {}

  explicit operator bool() const { return words_ && bytes_; }

  // `values`: left, top, width and height.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t row) {
    constexpr int OWN = COLOURS<C>;
    const Rectangle r = {int64_t(values[0]), int64_t(values[1]), int64_t(values[2]),
                         int64_t(values[3])};
    const int64_t needed = (r.w * r.h * OWN + 3) / 4;
    row_bits(words_of(step_, row, 0), needed, words_.at());
    bytes_of(words_.at(), needed, bytes_.at());
    for (int64_t y = 0; y < r.h; ++y)
      put<C>(bytes_.at(y * r.w * OWN), r.w, out + ((r.y + y) * in.width + r.x) * C);
  }

 private:
  const Step &step_;
  const Buffer<uint32_t> words_;
  const Buffer<uint8_t> bytes_;
};

}  // namespace
