// The pixel kernels of one image in portable C++.
//
// Compilers vectorise most of these loops. The variants for instruction sets inherit from `Plain`
// and override the functions that are worth writing by hand. Everything has internal linkage: each
// variant is compiled for its own instruction set and must not share code with the others.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "geometry.hpp"
#include "kernels.hpp"
#include "turning.hpp"

namespace {

// The pixels of one image; bytes after the last pixel may be read (and ignored) up to `end`.
struct View {
  const uint8_t *data, *end;
  int height, width;
};

// A run of pixels of the fill colour.
struct Fill {
  static constexpr int RUN = 252;  // a multiple of 1, 3 and 4 channels
  alignas(64) uint8_t run[RUN + 4];

  Fill(const uint8_t *colour, int channels) {
    for (int i = 0; i < 12; ++i) run[i] = colour[i % channels];
    for (int i = 12; i < RUN + 4; ++i) run[i] = run[i - 12];
  }
  void write(uint8_t *out, int64_t bytes) const {
    for (; bytes > RUN; bytes -= RUN, out += RUN) std::memcpy(out, run, RUN);
    if (bytes > 0) std::memcpy(out, run, size_t(bytes));
  }
};

// Histogram counters, all 0 between uses. Neighbouring pixels are often equal; several sets of
// counters avoid that one increment waits for the previous one.
struct Tally {
  static constexpr int SETS = 4;
  alignas(64) uint32_t set[SETS][3][256] = {};
};

// The number of channels that colour operations change: all except alpha.
template <int C>
constexpr int COLOURS = C == 4 ? 3 : C;

// ITU-R 601 luma in 16 bits, as in Pillow's conversion of RGB to grey.
inline int luma(const uint8_t *rgb) {
  return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

inline int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

// a / b rounded up, for 0 <= a < 2^50 and b > 0. Double precision is enough to distinguish such
// quotients from integers.
inline int64_t steps_to(int64_t a, int64_t b) {
  const auto whole = int64_t(double(a) / double(b));
  return whole * b < a ? whole + 1 : whole;
}

// Narrows [first, last) to the integers x for which 0 <= start + step * x < limit.
inline void keep_inside(int64_t start, int64_t step, int64_t limit, int64_t &first, int64_t &last) {
  if (step < 0) {  // mirrored: 0 <= (limit - 1 - start) - step * x < limit
    start = limit - 1 - start;
    step = -step;
  }
  if (start < 0 || start + step * (last - 1) >= limit) {
    if (step == 0 || start >= limit) {
      first = last;
      return;
    }
    const int64_t low = start < 0 ? steps_to(-start, step) : 0;
    const int64_t high = steps_to(limit - start, step);
    first = low > first ? low : first;
    last = high < last ? high : last;
  }
  if (last < first) first = last;
}

// Prefetches the lines of an image. Affine maps read them in an order that the processor does not
// predict, and fetching a line from main memory costs as much as all work on its pixels.
struct Ahead {
  static constexpr int LINES = 12;

  const View &in;
  const int64_t stride;
  int64_t asked = 0;

  Ahead(const View &view, int channels) : in(view), stride(int64_t(view.width) * channels) {}

  // Prefetches a few lines beyond `line`, the last one needed next.
  void until(int line) {
    const int64_t want = stride * clamp(line + LINES, 0, in.height);
    for (; asked < want; asked += 64) fetch(in.data + asked);
  }
  static void fetch(const uint8_t *place) {
#if defined(__GNUC__)
    __builtin_prefetch(place, 0, 2);
#else
    (void)place;
#endif
  }
};

// The last input line that an output line needs if its first pixel is read from line v >> 16.
inline int last_line(const Fixed &f, int32_t v, int width) {
  return (f.yx > 0 ? along(v, f.yx, width - 1) : v) >> 16;
}

// The same for bilinear interpolation of output line y.
inline int last_line(const Affine &map, int y, int width, int height) {
  const double x = map.m[3] > 0.0 ? width : 0, v = map.m[3] * x + map.m[4] * (y + 0.5) + map.m[5];
  return int(v < 0.0 ? 0.0 : v > height ? height : v) + 1;
}

// True if every line is a shifted copy of an input line.
inline bool is_shift(const Fixed &f) { return f.xx == 65536 && f.yx == 0 && f.yy == 65536; }

// Maps a column or row that may lie outside the image to the one that is shown there.
struct Beyond {
  static constexpr double FARTHEST = 1073741824.0;  // as in affine.py

  const bool reflect;
  const int64_t width, height;

  Beyond(bool mirrored, int columns, int rows) : reflect(mirrored), width(columns), height(rows) {}

  int64_t column(int64_t place) const { return within(place, width); }
  int64_t row(int64_t place) const { return within(place, height); }

  int64_t within(int64_t place, int64_t side) const {
    if (place >= 0 && place < side) return place;
    if (!reflect) return place < 0 ? 0 : side - 1;
    const int64_t period = side > 1 ? 2 * (side - 1) : 1;
    int64_t turned = place % period;
    if (turned < 0) turned += period;
    return turned < period - turned ? turned : period - turned;
  }
  static double near(double place) {
    return place < -FARTHEST ? -FARTHEST : place > FARTHEST ? FARTHEST : place;
  }
};

template <int C>
bool nearest_in_runs(const View &in, uint8_t *out, const Fixed &f, const Fill &fill);

struct Plain {
  // Whether there is a type `Levels`, a register of bytes, to put in order.
  static constexpr bool ORDERS = false;

  // Puts the planes of the channels together to pixels.
  template <int C>
  static void join(const uint8_t *planes, uint8_t *out, int64_t pixels) {
    for (int64_t p = 0; p < pixels; ++p)
      for (int c = 0; c < C; ++c) out[p * C + c] = planes[c * pixels + p];
  }

  // Takes pixels apart to planes of the channels.
  template <int C>
  static void part(const uint8_t *in, uint8_t *planes, int64_t pixels) {
    for (int64_t p = 0; p < pixels; ++p)
      for (int c = 0; c < C; ++c) planes[c * pixels + p] = in[p * C + c];
  }

  // Looks up every byte in one table.
  static void look_up_all(const uint8_t *in, uint8_t *out, int64_t bytes, const Table &table) {
    for (int64_t i = 0; i < bytes; ++i) out[i] = table.at[in[i]];
  }

  // Looks up each colour channel in its own table; alpha is kept.
  template <int C>
  static void look_up(const uint8_t *in, uint8_t *out, int64_t pixels, const Table *tables) {
    for (int64_t p = 0; p < pixels; ++p, in += C, out += C) {
      uint8_t pixel[C];
      for (int c = 0; c < C; ++c) pixel[c] = c < COLOURS<C> ? tables[c].at[in[c]] : in[c];
      std::memcpy(out, pixel, C);
    }
  }

  // Updates the minimum and maximum of each channel.
  template <int C>
  static void extrema(const uint8_t *in, int64_t pixels, uint8_t *low, uint8_t *high) {
    constexpr int RUN = 64 * C;  // bytes compared at once, each with its own extrema
    alignas(64) uint8_t least[RUN], most[RUN];
    std::memset(least, 255, RUN);
    std::memset(most, 0, RUN);
    const int64_t size = pixels * C;
    int64_t i = 0;
    for (; i + RUN <= size; i += RUN)
      for (int k = 0; k < RUN; ++k) {
        least[k] = in[i + k] < least[k] ? in[i + k] : least[k];
        most[k] = in[i + k] > most[k] ? in[i + k] : most[k];
      }
    for (int k = 0; i + k < size; ++k) {
      least[k] = in[i + k] < least[k] ? in[i + k] : least[k];
      most[k] = in[i + k] > most[k] ? in[i + k] : most[k];
    }
    for (int half = 32; half; half /= 2)  // reduce to one pixel
      for (int k = 0; k < half * C; ++k) {
        least[k] = least[k + half * C] < least[k] ? least[k + half * C] : least[k];
        most[k] = most[k + half * C] > most[k] ? most[k + half * C] : most[k];
      }
    for (int c = 0; c < C; ++c) {
      low[c] = least[c] < low[c] ? least[c] : low[c];
      high[c] = most[c] > high[c] ? most[c] : high[c];
    }
  }

  // Counts how often each value of each colour channel occurs.
  template <int C>
  static void histogram(const uint8_t *in, int64_t pixels, Tally &counters,
                        uint32_t (*counts)[256]) {
    constexpr int SETS = Tally::SETS, K = COLOURS<C>;
    auto &set = counters.set;
    int64_t p = 0;
    for (; p + SETS <= pixels; p += SETS)
      for (int k = 0; k < SETS; ++k)
        for (int c = 0; c < K; ++c) ++set[k][c][in[(p + k) * C + c]];
    for (; p < pixels; ++p)
      for (int c = 0; c < K; ++c) ++set[0][c][in[p * C + c]];
    for (int c = 0; c < K; ++c)
      for (int v = 0; v < 256; ++v) {
        counts[c][v] = (set[0][c][v] + set[1][c][v]) + (set[2][c][v] + set[3][c][v]);
        for (int k = 0; k < SETS; ++k) set[k][c][v] = 0;
      }
  }

  template <int C>
  static uint64_t luma_sum(const uint8_t *in, int64_t pixels) {
    uint64_t sum = 0;
    for (int64_t p = 0; p < pixels; ++p) sum += C == 1 ? in[p] : luma(in + p * C);
    return sum;
  }

  // Image.blend of two images.
  static void blend(const uint8_t *from, const uint8_t *to, uint8_t *out, int64_t bytes,
                    float share) {
    for (int64_t i = 0; i < bytes; ++i) out[i] = uint8_t(blend_value(from[i], to[i], share));
  }

  // ImageEnhance.Color: blends the grey image with the image; `share` may exceed 1.
  template <int C>
  static void saturate(const uint8_t *in, uint8_t *out, int64_t pixels, float share) {
    for (int64_t p = 0; p < pixels; ++p, in += C, out += C) {
      const float grey = float(luma(in));
      for (int c = 0; c < 3; ++c) out[c] = uint8_t(blend_value(grey, in[c], share));
      if (C == 4) out[3] = in[3];
    }
  }

  // ImageEnhance.Sharpness: blends ImageFilter.SMOOTH (which keeps the border) with the image;
  // `share` may exceed 1.
  template <class K, int C>
  static void sharpen(const View &in, uint8_t *out, float share) {
    const int64_t line = int64_t(in.width) * C;
    if (in.height < 3 || in.width < 3) {
      std::memcpy(out, in.data, size_t(line * in.height));
      return;
    }
    std::memcpy(out, in.data, size_t(line));
    for (int y = 1; y < in.height - 1; ++y) {
      const uint8_t *row = in.data + y * line;
      uint8_t *to = out + y * line;
      std::memcpy(to, row, C);
      K::template sharpen_line<C>(row, line, to, share);
      std::memcpy(to + line - C, row + line - C, C);
      if (C == 4)
        for (int64_t i = 3; i < line; i += 4) to[i] = row[i];
    }
    std::memcpy(out + (in.height - 1) * line, in.data + (in.height - 1) * line, size_t(line));
  }

  template <int C>
  static void sharpen_line(const uint8_t *row, int64_t line, uint8_t *out, float share) {
    for (int64_t i = C; i < line - C; ++i) {
      const uint8_t *above = row + i - line, *here = row + i, *below = row + i + line;
      const int sum = above[-C] + above[0] + above[C] + here[-C] + 5 * here[0] + here[C] +
                      below[-C] + below[0] + below[C];
      // floor(sum / 13 + 1/2); the multiplication is exact up to 13 * 255.
      const int smooth = ((sum + 6) * 5042) >> 16;
      out[i] = uint8_t(blend_value(float(smooth), here[0], share));
    }
  }

  // Shifts a line of pixels: out[x] = in[x + dx], or the fill colour outside.
  template <int C>
  static void shift_line(const uint8_t *in, uint8_t *out, int width, int dx, const Fill &fill) {
    const int first = clamp(-dx, 0, width), last = clamp(width - dx, first, width);
    fill.write(out, int64_t(first) * C);
    if (last > first) std::memcpy(out + first * C, in + (first + dx) * C, size_t(last - first) * C);
    fill.write(out + last * C, int64_t(width - last) * C);
  }

  // Shifts whole lines: out[y][x] = in[y + dy][x + dx(y)].
  template <class K, int C, class F>
  static void shift(const View &in, uint8_t *out, int dy, F dx, const Fill &fill) {
    const int64_t line = int64_t(in.width) * C;
    for (int y = 0; y < in.height; ++y) {
      if (y + dy < 0 || y + dy >= in.height)
        fill.write(out + y * line, line);
      else
        K::template shift_line<C>(in.data + (y + dy) * line, out + y * line, in.width, dx(y), fill);
    }
  }

  template <int C>
  static void flip_line(const uint8_t *in, uint8_t *out, int width) {
    for (int x = 0; x < width; ++x) std::memcpy(out + x * C, in + (width - 1 - x) * C, C);
  }

  // Nearest neighbour for maps that keep columns; returns false where another way is faster.
  template <int C>
  static bool nearest_columns(const View &in, uint8_t *out, const Fixed &f, const Fill &fill) {
    return nearest_in_runs<C>(in, out, f, fill);
  }

  // Nearest neighbour in 16.16 fixed point; sums wrap as Pillow's do in practice.
  template <class K, int C>
  static void nearest(const View &in, uint8_t *out, const Fixed &f, const Fill &fill) {
    const int64_t line = int64_t(in.width) * C;
    if (is_shift(f)) {
      const auto dx = [&](int y) { return along(f.x0, f.xy, y) >> 16; };
      shift<K, C>(in, out, f.y0 >> 16, dx, fill);
      return;
    }
    Ahead ahead(in, C);
    for (int y = 0; y < in.height; ++y) {
      const int32_t v = along(f.y0, f.yy, y);
      ahead.until(last_line(f, v, in.width));
      nearest_line<K, C>(in, out + y * line, f, along(f.x0, f.xy, y), v, fill);
    }
  }

  template <class K, int C>
  static void nearest_line(const View &in, uint8_t *out, const Fixed &f, int32_t x0, int32_t y0,
                           const Fill &fill) {
    int64_t first = 0, last = in.width;
    keep_inside(x0, f.xx, int64_t(in.width) << 16, first, last);
    keep_inside(y0, f.yx, int64_t(in.height) << 16, first, last);
    if (last - first < in.width) fill.write(out, int64_t(in.width) * C);
    K::template nearest_run<C>(in, out + first * C, f, along(x0, f.xx, first),
                               along(y0, f.yx, first), last - first);
  }

  // True if three bytes may be copied as four; the next pixel then overwrites the fourth.
  template <int C>
  static bool one_more(const View &in) {
    return C == 3 && in.end > in.data + int64_t(in.height) * in.width * C;
  }

  // Reads pixels that all lie inside the input; the first one is at (x, y).
  template <int C>
  static void nearest_run(const View &in, uint8_t *out, const Fixed &f, int32_t x, int32_t y,
                          int64_t count) {
    const int64_t line = int64_t(in.width) * C;
    const bool whole = one_more<C>(in);
    for (; count > 0; --count, out += C, x = along(x, f.xx, 1), y = along(y, f.yx, 1))
      copy_pixel<C>(out, in.data + (y >> 16) * line + (x >> 16) * C, whole && count > 1);
  }

  template <int C>
  static void copy_pixel(uint8_t *out, const uint8_t *in, bool whole) {
    if (whole)
      std::memcpy(out, in, 4);
    else
      std::memcpy(out, in, C);
  }

  // Tiles are written from left to right, so the next one overwrites a fourth byte.
  template <int C>
  static void turn_tile(const View &in, uint8_t *out, const Turn &turn, const Tile &tile) {
    const int64_t line = turn.side * C, step = turn.from_below ? -line : line;
    const bool whole = one_more<C>(in);
    for (int64_t y = tile.top; y < tile.bottom; ++y) {
      const uint8_t *from = in.data + turn.row(tile.left) * line + turn.column(y) * C;
      uint8_t *to = out + y * line + tile.left * C;
      for (int64_t x = tile.left; x < tile.right; ++x, from += step, to += C)
        copy_pixel<C>(to, from, whole && x + 1 < turn.side);
    }
  }

  // Nearest neighbour in floating point, for maps beyond the range of 16.16 numbers. Sums are in
  // Pillow's order.
  template <int C>
  static void nearest_far(const View &in, uint8_t *out, const Affine &map, const Fill &fill) {
    const double *m = map.m;
    double x0 = m[2] + m[1] * 0.5 + m[0] * 0.5, y0 = m[5] + m[4] * 0.5 + m[3] * 0.5;
    for (int row = 0; row < in.height; ++row, x0 += m[1], y0 += m[4]) {
      double x = x0, y = y0;
      for (int column = 0; column < in.width; ++column, x += m[0], y += m[3], out += C) {
        const bool known = x >= 0.0 && x < in.width && y >= 0.0 && y < in.height;
        const int64_t place = known ? int64_t(y) * in.width + int64_t(x) : 0;
        std::memcpy(out, known ? in.data + place * C : fill.run, C);
      }
    }
  }

  // Bilinear interpolation as in Pillow: double precision, truncated, with replicated edges.
  template <class K, int C>
  static void bilinear(const View &in, uint8_t *out, const Affine &map, const Fill &fill) {
    const int64_t line = int64_t(in.width) * C;
    Ahead ahead(in, C);
    for (int y = 0; y < in.height; ++y) {
      ahead.until(last_line(map, y, in.width, in.height));
      K::template bilinear_line<C>(in, out + y * line, map, y, fill);
    }
  }

  template <int C>
  static void bilinear_line(const View &in, uint8_t *out, const Affine &map, int y,
                            const Fill &fill) {
    const double *m = map.m, yc = y + 0.5;
    for (int x = 0; x < in.width; ++x) {
      const double xc = x + 0.5;
      bilinear_pixel<C>(in, out + x * C, m[0] * xc + m[1] * yc + m[2], m[3] * xc + m[4] * yc + m[5],
                        fill);
    }
  }

  template <int C>
  static void bilinear_pixel(const View &in, uint8_t *out, double x, double y, const Fill &fill) {
    if (!(x >= 0.0 && x < in.width && y >= 0.0 && y < in.height)) {
      std::memcpy(out, fill.run, C);
      return;
    }
    const int64_t line = int64_t(in.width) * C;
    const int left = floor_of(x - 0.5), top = floor_of(y - 0.5);
    const double dx = x - 0.5 - left, dy = y - 0.5 - top;
    const int x0 = clamp(left, 0, in.width - 1) * C, x1 = clamp(left + 1, 0, in.width - 1) * C;
    const uint8_t *upper = in.data + clamp(top, 0, in.height - 1) * line;
    const uint8_t *lower = in.data + clamp(top + 1, 0, in.height - 1) * line;
    for (int c = 0; c < C; ++c) {
      const double a = upper[x0 + c] + (upper[x1 + c] - upper[x0 + c]) * dx;
      const double b = lower[x0 + c] + (lower[x1 + c] - lower[x0 + c]) * dx;
      out[c] = uint8_t(a + (b - a) * dy);
    }
  }

  // The three ways to resample, for images that continue beyond their edges.
  template <int C>
  static void nearest_beyond(const View &in, uint8_t *out, const Fixed &f, const Beyond &beyond) {
    for (int y = 0; y < in.height; ++y) {
      int32_t u = along(f.x0, f.xy, y), v = along(f.y0, f.yy, y);
      for (int x = 0; x < in.width; ++x, out += C, u = along(u, f.xx, 1), v = along(v, f.yx, 1))
        std::memcpy(out, pixel<C>(in, beyond.column(u >> 16), beyond.row(v >> 16)), C);
    }
  }

  template <int C>
  static void nearest_far_beyond(const View &in, uint8_t *out, const Affine &map,
                                 const Beyond &beyond) {
    const double *m = map.m;
    double x0 = m[2] + m[1] * 0.5 + m[0] * 0.5, y0 = m[5] + m[4] * 0.5 + m[3] * 0.5;
    for (int row = 0; row < in.height; ++row, x0 += m[1], y0 += m[4]) {
      double x = x0, y = y0;
      for (int column = 0; column < in.width; ++column, x += m[0], y += m[3], out += C) {
        const auto u = int64_t(Beyond::near(std::floor(x)));
        const auto v = int64_t(Beyond::near(std::floor(y)));
        std::memcpy(out, pixel<C>(in, beyond.column(u), beyond.row(v)), C);
      }
    }
  }

  template <int C>
  static void bilinear_beyond(const View &in, uint8_t *out, const Affine &map,
                              const Beyond &beyond) {
    const double *m = map.m;
    for (int row = 0; row < in.height; ++row) {
      const double yc = row + 0.5;
      for (int column = 0; column < in.width; ++column, out += C) {
        const double xc = column + 0.5;
        const double x = Beyond::near(m[0] * xc + m[1] * yc + m[2]);
        const double y = Beyond::near(m[3] * xc + m[4] * yc + m[5]);
        const double left = std::floor(x - 0.5), top = std::floor(y - 0.5);
        const double dx = x - 0.5 - left, dy = y - 0.5 - top;
        const int64_t x0 = beyond.column(int64_t(left)), x1 = beyond.column(int64_t(left) + 1);
        const int64_t y0 = beyond.row(int64_t(top)), y1 = beyond.row(int64_t(top) + 1);
        const uint8_t *a0 = pixel<C>(in, x0, y0), *a1 = pixel<C>(in, x1, y0);
        const uint8_t *b0 = pixel<C>(in, x0, y1), *b1 = pixel<C>(in, x1, y1);
        for (int c = 0; c < C; ++c) {
          const double a = a0[c] + (a1[c] - a0[c]) * dx, b = b0[c] + (b1[c] - b0[c]) * dx;
          out[c] = uint8_t(a + (b - a) * dy);
        }
      }
    }
  }

  template <int C>
  static const uint8_t *pixel(const View &in, int64_t x, int64_t y) {
    return in.data + (y * in.width + x) * C;
  }

  // std::floor without the library call that it needs on older processors.
  static int floor_of(double v) { return int(v) - (v < int(v)); }
};

}  // namespace
