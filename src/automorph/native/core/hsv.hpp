// Changes of hue, saturation and value, as `hue_saturation_value` in operations/levels.py computes
// them: every line is one of its lines, in double precision.
#pragma once
#include <cstdint>

#include "buffer.hpp"
#include "plain.hpp"
#include "step.h"

namespace {

class Hsv {
 public:
  static constexpr bool IN_PLACE = true;

  explicit Hsv(const Step &) {}

  explicit operator bool() const { return true; }

  // `values`: turn, saturation, value, and 1 to add the latter two (0: to multiply by them).
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int64_t pixels = int64_t(in.height) * in.width;
    const double turn = 6.0 * values[0], saturation = values[1], value = values[2];
    const bool add = values[3] != 0.0;
    for (int64_t p = 0; p < pixels; p += BLOCK) {
      const int count = int(pixels - p < BLOCK ? pixels - p : BLOCK);
      const uint8_t *from = in.data + p * C;
      uint8_t *to = out + p * C;
      for (int i = 0; i < count; ++i)
        for (int c = 0; c < 3; ++c) colour_[c][i] = from[i * C + (C == 1 ? 0 : c)];
      change(turn, saturation, value, add);
      for (int i = 0; i < count; ++i)
        for (int c = 0; c < (C == 1 ? 1 : 3); ++c) to[i * C + c] = level_[c][i];
    }
  }

 private:
  static constexpr int BLOCK = 128;

  void change(double turn, double saturation, double value, bool add) {
    for (int i = 0; i < BLOCK; ++i) {
      const double red = colour_[0][i], green = colour_[1][i], blue = colour_[2][i];
      const double more = red > green ? red : green, less = red < green ? red : green;
      const double most = more > blue ? more : blue, least = less < blue ? less : blue;
      const double chroma = most - least, safe = chroma > 0.0 ? chroma : 1.0;
      const double share = 255.0 * chroma / (most > 1.0 ? most : 1.0);
      const double s = add ? share + saturation : share * saturation;
      const double v = add ? most + value : most * value;
      v_[i] = v < 0.0 ? 0.0 : v > 255.0 ? 255.0 : v;
      s_[i] = chroma > 0.0 ? (s < 0.0 ? 0.0 : s > 255.0 ? 255.0 : s) : 0.0;
      const double away = most == red ? green - blue : most == green ? blue - red : red - green;
      const double sector = most == red ? 0.0 : most == green ? 2.0 : 4.0;
      h_[i] = turned(sector + away / safe + turn);
    }
    const double shifts[3] = {5.0, 3.0, 1.0};
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < BLOCK; ++i) {
        const double sum = shifts[c] + h_[i], place = sum >= 6.0 ? sum - 6.0 : sum;
        const double near = place < 4.0 - place ? place : 4.0 - place;
        const double low = near < 0.0 ? 0.0 : near > 1.0 ? 1.0 : near;
        level_[c][i] = level(v_[i] - v_[i] * s_[i] / 255.0 * low);
      }
  }

  // h % 6 as Python computes it, for -12 < h < 12.
  static double turned(double h) {
    const double rest = h >= 6.0 ? h - 6.0 : h <= -6.0 ? h + 6.0 : h;
    return rest < 0.0 ? rest + 6.0 : rest;
  }

  alignas(64) double h_[BLOCK], s_[BLOCK], v_[BLOCK];
  alignas(64) uint8_t colour_[3][BLOCK] = {}, level_[3][BLOCK];
};

}  // namespace
