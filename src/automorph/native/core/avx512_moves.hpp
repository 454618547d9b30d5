// Hand-written affine resampling for AVX-512 with VBMI.
#pragma once
#include "avx512_columns.hpp"
#include "slide.hpp"

namespace {

// Nearest neighbour for 16 pixels at a time. They come from a few input lines; 64 bytes of each
// line are loaded, starting at the leftmost pixel needed, and every output byte selects its source.
template <int C>
struct Window {
  const View &in;
  const Fixed &f;
  const int64_t stride;
  const int depth;                      // upper bound on the input lines of 16 pixels, even
  const int32_t u_least, v_least, top_most;
  const __m512i x_steps, y_steps, empty;

  Window(const View &view, const Fixed &fixed, const Fill &fill)
      : in(view),
        f(fixed),
        stride(int64_t(view.width) * C),
        depth((reach(fixed.yx) + 1) / 2 * 2),
        u_least(fixed.xx < 0 ? fixed.xx * 15 : 0),
        v_least(fixed.yx < 0 ? fixed.yx * 15 : 0),
        top_most(view.height > depth ? view.height - depth : 0),
        x_steps(_mm512_mullo_epi32(_mm512_set1_epi32(fixed.xx), numbers())),
        y_steps(_mm512_mullo_epi32(_mm512_set1_epi32(fixed.yx), numbers())),
        empty(_mm512_load_si512(fill.run)) {}

  static __m512i numbers() {
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }

  // An upper bound on the pixels (or lines) that 16 pixels touch.
  static int reach(int32_t step) { return int(std::abs(int64_t(step)) * 15 >> 16) + 2; }

  // True if this is faster than pixel by pixel, which it is not for long lines with a steep slope.
  static bool pays(const Fixed &fixed, int width) {
    return reach(fixed.xx) * C <= 64 && reach(fixed.yx) <= (width < 64 ? 16 : 4);
  }

  // Computes the first `known` of 16 pixels; (u, v) is the source of the first.
  void pixels(uint8_t *out, int32_t u, int32_t v, int known) const {
    static constexpr Bytes spread = bytes([](int i) { return i / C * 4 % 64; });
    static constexpr Bytes channel = bytes([](int i) { return i % C; });
    const int left = clamp(along(u, u_least, 1) >> 16, 0, in.width - 1);
    const int top = clamp(along(v, v_least, 1) >> 16, 0, top_most);
    // Pixels and lines relative to the window's corner; line 255 marks pixels outside.
    __m512i x = _mm512_add_epi32(_mm512_set1_epi32(u - (left << 16)), x_steps);
    __m512i y = _mm512_add_epi32(_mm512_set1_epi32(v - (top << 16)), y_steps);
    x = _mm512_srai_epi32(x, 16);
    y = _mm512_srai_epi32(y, 16);
    const __mmask16 inside = _mm512_mask_cmplt_epu32_mask(
        _mm512_cmplt_epu32_mask(x, _mm512_set1_epi32(in.width - left)), y,
        _mm512_set1_epi32(in.height - top));
    y = _mm512_mask_mov_epi32(_mm512_set1_epi32(255), inside, y);
    if (C == 3) x = _mm512_add_epi32(x, _mm512_add_epi32(x, x));
    if (C == 4) x = _mm512_slli_epi32(x, 2);
    // Expand one number per pixel to one per byte.
    const __m512i spreading = _mm512_load_si512(spread.v);
    const __m512i place = _mm512_add_epi8(_mm512_permutexvar_epi8(spreading, x),
                                          _mm512_load_si512(channel.v));
    __m512i from = _mm512_permutexvar_epi8(spreading, y);
    __m512i result = _mm512_maskz_mov_epi8(_mm512_movepi8_mask(from), empty);
    const uint8_t *line = in.data + top * stride + left * C;
    const bool near_end = line + (depth - 1) * stride + 64 > in.end;
    const __m512i one = _mm512_set1_epi8(1);
    for (int k = 0; k < depth; k += 2, line += 2 * stride) {
      __m512i even, odd;
      if (near_end) {
        even = _mm512_maskz_loadu_epi8(lanes(in.end - line), line);
        odd = _mm512_maskz_loadu_epi8(lanes(in.end - line - stride), line + stride);
      } else {
        even = load64(line);
        odd = load64(line + stride);
      }
      even = _mm512_maskz_permutexvar_epi8(_mm512_testn_epi8_mask(from, from), place, even);
      from = _mm512_sub_epi8(from, one);
      odd = _mm512_maskz_permutexvar_epi8(_mm512_testn_epi8_mask(from, from), place, odd);
      from = _mm512_sub_epi8(from, one);
      result = _mm512_ternarylogic_epi32(result, even, odd, 0xFE);  // or
    }
    store_pixels<C>(out, result, known);
  }
};

constexpr int SHORT_RUN = 3;  // columns of a run on average; gathering pixels is faster below that

struct Avx512 : Avx512Colours {
  template <class K, int C>
  static void nearest(const View &in, uint8_t *out, const Fixed &f, const Fill &fill) {
    if (is_shift(f) || !Window<C>::pays(f, in.width)) return Plain::nearest<K, C>(in, out, f, fill);
    const Window<C> window(in, f, fill);
    Ahead ahead(in, C);
    for (int y = 0; y < in.height; ++y) {
      int32_t u = along(f.x0, f.xy, y), v = along(f.y0, f.yy, y);
      ahead.until(last_line(f, v, in.width));
      for (int x = 0; x < in.width; x += 16) {
        const int known = in.width - x < 16 ? in.width - x : 16;
        window.pixels(out, u, v, known);
        out += known * C;
        u = along(u, f.xx, 16);
        v = along(v, f.yx, 16);
      }
    }
  }

  template <int C>
  static bool nearest_columns(const View &in, uint8_t *out, const Fixed &f, const Fill &fill) {
    const Runs runs(in.width, [&](int x) { return rows_below(f, x); });
    if (!runs.at || runs.count * SHORT_RUN > in.width) return false;
    const Columns<C> columns(in, runs);
    if (!columns.ready()) return false;
    const int64_t line = int64_t(in.width) * C;
    Ahead ahead(in, C);
    for (int y = 0; y < in.height; ++y) {
      ahead.until(last_line(f, along(f.y0, f.yy, y), in.width));
      columns.filled(y, out + y * line, fill);
    }
    return true;
  }

  // As `Shares`, which says why the few lanes that are unsure are computed one by one.
  template <int C, class F>
  static void slide(const uint8_t *from, uint8_t *to, int64_t bytes, int32_t left, int32_t right,
                    F again_at) {
    const __m512i upper = _mm512_set1_epi32(left >> 14 | right >> 14 << 16);
    const __m512i lower = _mm512_set1_epi32((left & 0x3FFF) | (right & 0x3FFF) << 16);
    for (int64_t i = 0; i < bytes; i += 32) {
      const bool whole = bytes - i >= 32;
      const auto known = __mmask32(lanes(whole ? 32 : bytes - i));
      const auto load = [&](const uint8_t *at) {
        return _mm512_cvtepu8_epi16(whole ? load32(at) : _mm256_maskz_loadu_epi8(known, at));
      };
      const __m512i a = load(from + i), b = load(from + i + C);
      __mmask16 unsure[2];
      const __m512i low = blended(_mm512_unpacklo_epi16(a, b), upper, lower, unsure[0]);
      const __m512i high = blended(_mm512_unpackhi_epi16(a, b), upper, lower, unsure[1]);
      const __m256i mixed = _mm512_cvtepi16_epi8(_mm512_packus_epi32(low, high));
      if (whole)
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(to + i), mixed);
      else
        _mm256_mask_storeu_epi8(to + i, known, mixed);
      if (!(unsure[0] | unsure[1])) continue;
      uint32_t again = _pdep_u32(unsure[0], 0x0F0F0F0F) | _pdep_u32(unsure[1], 0xF0F0F0F0);
      again &= known;
      for (; again; again &= again - 1) again_at(i + __builtin_ctz(again));
    }
  }

  template <class K, int C>
  static void bilinear(const View &in, uint8_t *out, const Affine &map, const Fill &fill) {
    if (!SmoothWindow<C>::fits(map)) return Plain::bilinear<K, C>(in, out, map, fill);
    if (Drop<C>::fits(map, in)) {
      Drop<C> drop(in, map, fill);
      if (drop.ready()) return drop.run(out);
    }
    const SmoothWindow<C> window(in, map, fill);
    const bool slides = Slide<K, C>::fits(map);
    const Slide<K, C> slide{in, map, fill};
    Ahead ahead(in, C);
    for (int y = 0; y < in.height; ++y) {
      ahead.until(last_line(map, y, in.width, in.height));
      if (slides && slide.line(out, y)) {
        out += int64_t(in.width) * C;
        continue;
      }
      for (int x = 0; x < in.width; x += 16) {
        const int known = in.width - x < 16 ? in.width - x : 16;
        if (known < 16 || !window.fits_32 || !window.inner(out, x, y)) window.pixels(out, x, y, known);
        out += known * C;
      }
    }
  }

  template <int C>
  static void shift_line(const uint8_t *in, uint8_t *out, int width, int dx, const Fill &fill) {
    const int first = clamp(-dx, 0, width), last = clamp(width - dx, first, width);
    const int64_t size = int64_t(last - first) * C;
    fill.write(out, int64_t(first) * C);
    fill.write(out + int64_t(last) * C, int64_t(width - last) * C);
    in += int64_t(first + dx) * C;
    out += int64_t(first) * C;
    if (size < 64) return void(std::memcpy(out, in, size_t(size)));
    // No masked loads at the edges: one that misses the cache holds up all that follow.
    for (int64_t i = 0; i < size; i += 64) {
      if (i > size - 64) i = size - 64;  // the last step overlaps the one before
      Ahead::fetch(in + i + AHEAD);
      _mm512_storeu_si512(out + i, load64(in + i));
    }
  }

  template <int C>
  static void flip_line(const uint8_t *in, uint8_t *out, int width) {
    static constexpr Bytes backwards = bytes([](int i) { return (15 - i / C) * C + i % C; });
    for (int x = 0; x < width; x += 16, out += 16 * C) {
      const int count = width - x < 16 ? width - x : 16;
      const uint8_t *from = in + (width - x - count) * C;
      Ahead::fetch(from + AHEAD);
      // Beyond the right end nothing may be read, so these are the last pixels of what is loaded.
      const bool fits = width * C >= 64;
      const int there = (x + count) * C, before = fits && there < 64 ? 64 - there : 0;
      const __m512i v = fits ? load64(from - before)
                             : _mm512_maskz_loadu_epi8(lanes(count * C), from);
      const __m512i place = _mm512_sub_epi8(_mm512_load_si512(backwards.v),
                                            _mm512_set1_epi8(char((16 - count) * C - before)));
      store_pixels<C>(out, _mm512_permutexvar_epi8(place, v), count);
    }
  }
};

}  // namespace
