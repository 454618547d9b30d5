// Quarter turns and transposition of squares: rows become columns.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "geometry.hpp"

namespace {

// Pixel (x, y) comes from row `row(x)` and column `column(y)`.
struct Turn {
  const int64_t side;
  const bool from_right, from_below;

  Turn(const Affine &map, int64_t length)
      : side(length), from_right(map.m[1] < 0.0), from_below(map.m[3] < 0.0) {}

  static bool fits(const Affine &map, int width, int height) {
    const double *m = map.m, side = width;
    return width == height && m[0] == 0.0 && m[4] == 0.0 && std::fabs(m[1]) == 1.0 &&
           std::fabs(m[3]) == 1.0 && m[2] == (m[1] < 0.0 ? side : 0.0) &&
           m[5] == (m[3] < 0.0 ? side : 0.0);
  }
  int64_t column(int64_t y) const { return from_right ? side - 1 - y : y; }
  int64_t row(int64_t x) const { return from_below ? side - 1 - x : x; }
};

// A part of the output.
struct Tile {
  int64_t left, top, right, bottom;
};

}  // namespace
