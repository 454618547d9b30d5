// Maps that move whole columns up or down, as ShearY does: neighbouring columns mostly move alike.
#pragma once
#include "buffer.hpp"
#include "plain.hpp"

namespace {

constexpr int SHORT = 12;  // columns of a run on average; gathering pixels is faster below that

// Columns [first, last) that are read from `rows` lines below.
struct Run {
  int first, last, rows;
};

// Copies bytes in large pieces, which may write more than is asked for, up to `end`, and read more,
// up to `from_end`.
inline void copy_ahead(uint8_t *out, const uint8_t *end, const uint8_t *from,
                       const uint8_t *from_end, int64_t bytes) {
  constexpr int64_t PIECE = 32;
  while (bytes > 0 && end - out >= PIECE && from_end - from >= PIECE) {
    std::memcpy(out, from, PIECE);
    out += PIECE;
    from += PIECE;
    bytes -= PIECE;
  }
  if (bytes > 0) std::memcpy(out, from, size_t(bytes));
}

// True if every column is a shifted copy of an input column, without change of its number.
inline bool keeps_columns(const Fixed &f) {
  return f.xx == 65536 && f.xy == 0 && f.x0 >> 16 == 0 && f.yy == 65536;
}

// The runs of an image: neighbouring columns that move alike.
struct Runs {
  Buffer<Run> at;
  int count = 0;

  // `rows_of(x)`: how far below column x is read.
  template <class F>
  Runs(int width, F rows_of) : at(width) {
    if (!at) return;
    for (int x = 0; x < width; ++x) {
      const int rows = rows_of(x);
      if (count && at[count - 1].rows == rows)
        at[count - 1].last = x + 1;
      else
        at[count++] = {x, x + 1, rows};
    }
  }
};

// How far below each column is read from by a map that keeps columns.
inline int rows_below(const Fixed &f, int x) { return along(f.y0, f.yx, x) >> 16; }

// Nearest neighbour for maps that keep columns; returns false for short runs, and without memory.
template <int C>
bool nearest_in_runs(const View &in, uint8_t *out, const Fixed &f, const Fill &fill) {
  const Runs runs(in.width, [&](int x) { return rows_below(f, x); });
  if (!runs.at || runs.count * SHORT > in.width) return false;
  const int64_t line = int64_t(in.width) * C;
  const uint8_t *end = out + line * in.height;
  Ahead ahead(in, C);
  for (int y = 0; y < in.height; ++y, out += line) {
    ahead.until(last_line(f, along(f.y0, f.yy, y), in.width));
    for (int k = 0; k < runs.count; ++k) {
      const Run run = runs.at[k];
      const int row = y + run.rows;
      uint8_t *to = out + int64_t(run.first) * C;
      const int64_t bytes = int64_t(run.last - run.first) * C;
      if (row < 0 || row >= in.height)
        fill.write(to, bytes);
      else
        copy_ahead(to, end, in.data + row * line + int64_t(run.first) * C, in.end, bytes);
    }
  }
  return true;
}

}  // namespace
