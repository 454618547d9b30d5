// Resamples an image by an affine map, in the way that suits the map.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "columns.hpp"
#include "interface.h"
#include "plain.hpp"
#include "turning.hpp"

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
    } else if (straight && m[0] == -1.0 && m[4] == -1.0 && m[2] == in.width && m[5] == in.height) {
      for (int y = 0; y < in.height; ++y)
        K::template flip_line<C>(in.data + (in.height - 1 - y) * line, out + y * line, in.width);
    } else if (straight && m[0] == 1.0 && m[4] == -1.0 && m[2] == 0.0 && m[5] == in.height) {
      for (int y = 0; y < in.height; ++y)
        std::memcpy(out + y * line, in.data + (in.height - 1 - y) * line, size_t(line));
    } else if (Turn::fits(map, in.width, in.height)) {
      turn(in, out, Turn(map, in.width));
    } else if (outside != FILL) {
      run_beyond(in, out, map);
    } else if (bilinear) {
      K::template bilinear<K, C>(in, out, map, fill);
    } else if (fits_fixed(map, in.width, in.height)) {
      const Fixed f = fixed(map);
      const bool by_columns = in.width >= WORTH_COLUMNS && keeps_columns(f);
      if (!by_columns || !K::template nearest_columns<C>(in, out, f, fill))
        K::template nearest<K, C>(in, out, f, fill);
    } else {
      K::template nearest_far<C>(in, out, map, fill);
    }
  }

  // Exchanges rows and columns, tile by tile, from left to right.
  static void turn(const View &in, uint8_t *out, const Turn &turn) {
    constexpr int64_t TILE = 32;
    const auto end = [&](int64_t begin) { return begin + TILE < turn.side ? begin + TILE : turn.side; };
    const int64_t line = turn.side * C;
    for (int64_t top = 0; top < turn.side; top += TILE)
      for (int64_t left = 0; left < turn.side; left += TILE) {
        // The next tile is read from other lines, which the processor does not predict.
        const uint8_t *from = in.data + turn.column(turn.from_right ? end(top) - 1 : top) * C;
        for (int64_t x = end(left); x < end(end(left)); ++x)
          for (int64_t byte = 0; byte < TILE * C; byte += 64)
            Ahead::fetch(from + turn.row(x) * line + byte);
        K::template turn_tile<C>(in, out, turn, {left, top, end(left), end(top)});
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
