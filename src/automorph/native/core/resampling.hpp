// Resamples an image by an affine map, in the way that suits the map.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "columns.hpp"
#include "interface.h"
#include "plain.hpp"

namespace {

constexpr int WORTH_COLUMNS = 64;  // pixels of a line

template <class K, int C>
struct Resampling {
  const Fill &fill;
  const bool bilinear;
  const int32_t outside;

  void run(const View &in, uint8_t *out, const Affine &map) const {
    const double *m = map.m;
    const int64_t line = int64_t(in.width) * C;
    const bool straight = m[1] == 0.0 && m[3] == 0.0 && m[2] == std::floor(m[2]) &&
                          m[5] == std::floor(m[5]) && std::fabs(m[2]) < 1e9 && std::fabs(m[5]) < 1e9;
    if (straight && m[0] == 1.0 && m[4] == 1.0 && outside == FILL) {
      const int dx = int(m[2]);
      K::template shift<K, C>(in, out, int(m[5]), [=](int) { return dx; }, fill);
    } else if (straight && m[0] == -1.0 && m[4] == 1.0 && m[2] == in.width && m[5] == 0.0) {
      for (int y = 0; y < in.height; ++y)
        K::template flip_line<C>(in.data + y * line, out + y * line, in.width);
    } else if (straight && m[0] == 1.0 && m[4] == -1.0 && m[2] == 0.0 && m[5] == in.height) {
      for (int y = 0; y < in.height; ++y)
        std::memcpy(out + y * line, in.data + (in.height - 1 - y) * line, size_t(line));
    } else if (turns(map, in)) {
      turn(in, out, map);
    } else if (outside != FILL) {
      run_beyond(in, out, map);
    } else if (bilinear) {
      K::template bilinear<K, C>(in, out, map, fill);
    } else if (fits_fixed(map, in.width, in.height)) {
      const Fixed f = fixed(map);
      const bool by_columns = in.width >= WORTH_COLUMNS && keeps_columns(f);
      if (!by_columns || !nearest_columns<C>(in, out, f, fill))
        K::template nearest<K, C>(in, out, f, fill);
    } else {
      K::template nearest_far<C>(in, out, map, fill);
    }
  }

  // True if the rows of a square become its columns.
  static bool turns(const Affine &map, const View &in) {
    const double *m = map.m, side = in.width;
    return in.width == in.height && m[0] == 0.0 && m[4] == 0.0 && std::fabs(m[1]) == 1.0 &&
           std::fabs(m[3]) == 1.0 && m[2] == (m[1] < 0.0 ? side : 0.0) &&
           m[5] == (m[3] < 0.0 ? side : 0.0);
  }

  // Exchanges rows and columns, tile by tile.
  static void turn(const View &in, uint8_t *out, const Affine &map) {
    constexpr int TILE = 32;
    const bool from_right = map.m[1] < 0.0, from_below = map.m[3] < 0.0;
    const int64_t side = in.width, line = side * C, step = from_below ? -line : line;
    // Tiles are written from left to right, so the next one overwrites a fourth byte.
    const bool whole = Plain::one_more<C>(in);
    for (int64_t top = 0; top < side; top += TILE)
      for (int64_t left = 0; left < side; left += TILE) {
        const int64_t bottom = top + TILE < side ? top + TILE : side;
        const int64_t right = left + TILE < side ? left + TILE : side;
        for (int64_t y = top; y < bottom; ++y) {
          const int64_t column = from_right ? side - 1 - y : y, row = from_below ? side - 1 - left : left;
          const uint8_t *from = in.data + row * line + column * C;
          uint8_t *to = out + y * line + left * C;
          for (int64_t x = left; x < right; ++x, from += step, to += C)
            Plain::copy_pixel<C>(to, from, whole && x + 1 < side);
        }
      }
  }

  // Resamples with pixels of the image in place of the fill colour.
  void run_beyond(const View &in, uint8_t *out, const Affine &map) const {
    const Beyond beyond(outside == REFLECT, in.width, in.height);
    if (bilinear) return Plain::bilinear_beyond<C>(in, out, map, beyond);
    if (!fits_fixed(map, in.width, in.height))
      return Plain::nearest_far_beyond<C>(in, out, map, beyond);
    Plain::nearest_beyond<C>(in, out, fixed(map), beyond);
  }
};

}  // namespace
