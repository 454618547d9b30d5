// Changes of hue, saturation and value, as `hue_saturation_value` in operations/levels.py.
//
// Levels are defined in double precision: every line of `compute` is one of its lines. Single
// precision gives them too, unless a sum lies so close to the middle between two levels that its
// error could matter: those few pixels are computed again as defined.
#pragma once
#include <cmath>
#include <cstdint>

#include "buffer.hpp"
#include "plain.hpp"
#include "step.h"

namespace {

constexpr int HSV_BLOCK = 128;  // pixels at once

struct HsvChange {
  double turn, saturation, value;
  bool add;  // the latter two, instead of multiplying by them
};

// The changed colours of some pixels before they are rounded, as planes.
template <class T>
struct HsvSums {
  alignas(64) T hue[HSV_BLOCK], part[HSV_BLOCK], most[HSV_BLOCK], sum[3][HSV_BLOCK];

  void compute(const uint8_t (*colour)[HSV_BLOCK], int count, const HsvChange &by) {
    const T turn = T(by.turn), saturation = T(by.saturation), value = T(by.value);
    const bool add = by.add;
    for (int i = 0; i < count; ++i) {
      const T red = colour[0][i], green = colour[1][i], blue = colour[2][i];
      const T more = red > green ? red : green, less = red < green ? red : green;
      const T high = more > blue ? more : blue, low = less < blue ? less : blue;
      const T chroma = high - low, safe = chroma > T(0) ? chroma : T(1);
      const T share = T(255) * chroma / (high > T(1) ? high : T(1));
      const T s = add ? share + saturation : share * saturation;
      const T v = add ? high + value : high * value;
      most[i] = v < T(0) ? T(0) : v > T(255) ? T(255) : v;
      part[i] = chroma > T(0) ? (s < T(0) ? T(0) : s > T(255) ? T(255) : s) : T(0);
      const T away = high == red ? green - blue : high == green ? blue - red : red - green;
      const T sector = high == red ? T(0) : high == green ? T(2) : T(4);
      hue[i] = turned(sector + away / safe + turn);
    }
    const T shifts[3] = {5, 3, 1};
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < count; ++i) {
        const T turned_on = shifts[c] + hue[i];
        const T place = turned_on >= T(6) ? turned_on - T(6) : turned_on;
        const T near = place < T(4) - place ? place : T(4) - place;
        const T share = near < T(0) ? T(0) : near > T(1) ? T(1) : near;
        sum[c][i] = most[i] - most[i] * part[i] / T(255) * share;
      }
  }

  // h % 6 as Python computes it, for -12 < h < 12.
  static T turned(T h) {
    const T rest = h >= T(6) ? h - T(6) : h <= T(-6) ? h + T(6) : h;
    return rest < T(0) ? rest + T(6) : rest;
  }
};

class Hsv {
 public:
  static constexpr bool IN_PLACE = true;

  explicit Hsv(const Step &) {}

  explicit operator bool() const { return true; }

  // `values`: turn, saturation, value, and 1 to add the latter two (0: to multiply by them).
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int64_t pixels = int64_t(in.height) * in.width;
    by_ = {6.0 * values[0], values[1], values[2], values[3] != 0.0};
    for (int64_t p = 0; p < pixels; p += BLOCK) {
      const int count = int(pixels - p < BLOCK ? pixels - p : BLOCK);
      take<K, C>(in.data + p * C, count);
      single_.compute(colour_, BLOCK, by_);
      round(count);
      give<K, C>(out + p * C, count);
    }
  }

 private:
  static constexpr int BLOCK = HSV_BLOCK;
  static constexpr float CLOSE = 2e-3f;  // an error of the hue counts up to 255 times

  template <class K, int C>
  void take(const uint8_t *from, int count) {
    if (C == 3 && count == BLOCK) return K::template part<C>(from, colour_[0], BLOCK);
    for (int i = 0; i < count; ++i)
      for (int c = 0; c < 3; ++c) colour_[c][i] = from[i * C + (C == 1 ? 0 : c)];
  }

  template <class K, int C>
  void give(uint8_t *to, int count) const {
    if (C == 3 && count == BLOCK) return K::template join<C>(level_[0], to, BLOCK);
    for (int i = 0; i < count; ++i)
      for (int c = 0; c < (C == 1 ? 1 : 3); ++c) to[i * C + c] = level_[c][i];
  }

  // Rounds the sums in single precision, and computes again what is in doubt.
  void round(int count) {
    int some = 0;
    for (int i = 0; i < BLOCK; ++i) doubt_[i] = 0;
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < BLOCK; ++i) {
        const float v = single_.sum[c][i], whole = nearest_whole(v);
        level_[c][i] = uint8_t(int(whole));
        doubt_[i] |= uint8_t(std::fabs(v - whole) > 0.5f - CLOSE);
        some |= doubt_[i];
      }
    if (!some) return;
    uint8_t place[BLOCK];
    int found = 0;
    for (int i = 0; i < count; ++i) {
      if (!doubt_[i]) continue;
      for (int c = 0; c < 3; ++c) again_[c][found] = colour_[c][i];
      place[found++] = uint8_t(i);
    }
    double_.compute(again_, found, by_);
    for (int c = 0; c < 3; ++c)
      for (int k = 0; k < found; ++k) level_[c][place[k]] = level(double_.sum[c][k]);
  }

  HsvChange by_{};
  alignas(64) uint8_t colour_[3][BLOCK] = {}, again_[3][BLOCK] = {}, level_[3][BLOCK] = {};
  alignas(64) uint8_t doubt_[BLOCK];
  HsvSums<float> single_;
  HsvSums<double> double_;
};

}  // namespace
