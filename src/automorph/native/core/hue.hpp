// The hue of Pillow's 8-bit HSV images: conversion, rotation and back.
//
// Every line is one line of `to_hsv` and `from_hsv` in operations/colour.py, in the same precision.
// A block of pixels is kept channel by channel, so that the compiler vectorises the loops.
#pragma once
#include <cmath>
#include <cstdint>

#include "step.h"
#include "plain.hpp"

namespace {

class Hue {
 public:
  static constexpr bool IN_PLACE = true;

  explicit Hue(const Step &) {
    for (int v = 0; v < 256; ++v) {
      const double place = v * 6.0 / 255.0, whole = std::floor(place);
      sector_[v] = uint8_t(int(whole) % 6);
      fraction_[v] = float(place - whole);
      share_[v] = float(v / 255.0);
    }
  }

  explicit operator bool() const { return true; }

  // `values`: the rotation, in levels of 256.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    if constexpr (C >= 3) {
      const int turn = int(values[0]);
      const int64_t pixels = int64_t(in.height) * in.width;
      for (int64_t p = 0; p < pixels; p += BLOCK)
        block<C>(in.data + p * C, out + p * C, int(pixels - p < BLOCK ? pixels - p : BLOCK), turn);
    } else {
      std::memcpy(out, in.data, size_t(in.height) * in.width * C);
    }
  }

 private:
  static constexpr int BLOCK = 256;

  template <int C>
  void block(const uint8_t *in, uint8_t *out, int count, int turn) {
    for (int i = 0; i < count; ++i) {
      red_[i] = in[i * C];
      green_[i] = in[i * C + 1];
      blue_[i] = in[i * C + 2];
    }
    to_hsv();
    for (int i = 0; i < BLOCK; ++i) {
      const int h = (hue_[i] + turn) & 255;
      which_[i] = sector_[h];
      f_[i] = fraction_[h];
      fs_[i] = share_[saturation_[i]];
    }
    from_hsv();
    for (int i = 0; i < count; ++i) {
      out[i * C] = red_[i];
      out[i * C + 1] = green_[i];
      out[i * C + 2] = blue_[i];
    }
  }

  void to_hsv() {
    for (int i = 0; i < BLOCK; ++i) {
      const uint8_t r = red_[i], g = green_[i], b = blue_[i];
      const uint8_t more = r > g ? r : g, less = r < g ? r : g;
      most_[i] = more > b ? more : b;
      least_[i] = less < b ? less : b;
    }
    for (int i = 0; i < BLOCK; ++i) {
      const float most = float(most_[i]), chroma = most - float(least_[i]);
      const float safe = chroma == 0.0f ? 1.0f : chroma;
      const float r = (most - float(red_[i])) / safe, g = (most - float(green_[i])) / safe,
                  b = (most - float(blue_[i])) / safe;
      const float second = float(2.0 + double(r) - double(b));
      const float third = float(4.0 + double(g) - double(r));
      const float other = float(green_[i]) == most ? second : third;
      const float h = float(red_[i]) == most ? b - g : other;
      // fmod(v, 1), exactly, of 0 <= v < 2
      const double turned = double(h) / 6.0 + 1.0;
      const float part = float(turned - (turned >= 1.0 ? 1.0 : 0.0));
      const int whole = int(double(part) * 255.0);
      const float s = chroma / (most == 0.0f ? 1.0f : most);
      const int strong = int(double(s) * 255.0);
      hue_[i] = chroma == 0.0f ? 0 : whole;
      saturation_[i] = chroma == 0.0f ? 0 : strong;
    }
  }

  void from_hsv() {
    for (int i = 0; i < BLOCK; ++i) {
      const double v = most_[i], s = fs_[i];
      const double odd = double(fs_[i] * f_[i]), even = s * (1.0 - double(f_[i]));
      const double share = which_[i] & 1 ? odd : even;
      // floor of positive numbers
      low_[i] = int(v * (1.0 - s) + 0.5);
      middle_[i] = int(v * (1.0 - share) + 0.5);
    }
    for (int i = 0; i < BLOCK; ++i) {
      const uint8_t v = most_[i], p = uint8_t(low_[i]), m = uint8_t(middle_[i]);
      const uint8_t k = uint8_t(which_[i]), grey = mask(saturation_[i] == 0);
      const uint8_t zero = mask(k == 0), one = mask(k == 1), two = mask(k == 2);
      const uint8_t three = mask(k == 3), four = mask(k == 4), five = mask(k == 5);
      red_[i] = pick(zero | five | grey, v, one | four, m, p);
      green_[i] = pick(one | two | grey, v, zero | three, m, p);
      blue_[i] = pick(three | four | grey, v, two | five, m, p);
    }
  }

  static uint8_t mask(bool set) { return uint8_t(-int(set)); }

  // `a` where the first mask is set, else `b` where the second one is, else `c`.
  static uint8_t pick(int first, uint8_t a, int second, uint8_t b, uint8_t c) {
    return uint8_t((a & first) | (~first & ((b & second) | (c & ~second))));
  }

  uint8_t sector_[256];
  float fraction_[256], share_[256];
  alignas(64) uint8_t red_[BLOCK] = {}, green_[BLOCK] = {}, blue_[BLOCK] = {};
  alignas(64) uint8_t most_[BLOCK], least_[BLOCK];
  alignas(64) int32_t hue_[BLOCK], saturation_[BLOCK], which_[BLOCK], low_[BLOCK], middle_[BLOCK];
  alignas(64) float f_[BLOCK], fs_[BLOCK];
};

}  // namespace
