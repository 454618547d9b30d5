// Hand-written kernels for AVX2.
#pragma once
#include <immintrin.h>

#include "avx2_bilinear.hpp"
#include "plain.hpp"

namespace {

inline __m256i load_ymm(const void *from) {
  return _mm256_loadu_si256(static_cast<const __m256i *>(from));
}
inline __m128i load_xmm(const void *from) {
  return _mm_loadu_si128(static_cast<const __m128i *>(from));
}
inline void store_xmm(void *to, __m128i v) { _mm_storeu_si128(static_cast<__m128i *>(to), v); }
inline void store_ymm(void *to, __m256i v) { _mm256_storeu_si256(static_cast<__m256i *>(to), v); }

// A 256-entry table split into sixteen tables of 16. `pshufb` returns 0 for indices with the top
// bit set, so the XOR of differences between neighbouring tables yields the wanted entry.
struct Chain {
  __m256i part[16];

  explicit Chain(const Table &table) {
    for (int k = 0; k < 16; ++k)
      part[k] = _mm256_broadcastsi128_si256(load_xmm(table.at + 16 * k));
    for (int k = 15; k > 0; --k)
      if (k != 8) part[k] = _mm256_xor_si256(part[k], part[k - 1]);
  }
  __m256i look_up(__m256i lower) const {
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i upper = _mm256_xor_si256(lower, _mm256_set1_epi8(-128));
    __m256i sum = _mm256_xor_si256(_mm256_shuffle_epi8(part[0], lower),
                                   _mm256_shuffle_epi8(part[8], upper));
    for (int k = 1; k < 8; ++k) {
      lower = _mm256_subs_epi8(lower, sixteen);  // saturates: negative values stay negative
      upper = _mm256_subs_epi8(upper, sixteen);
      sum = _mm256_xor_si256(sum, _mm256_shuffle_epi8(part[k], lower));
      sum = _mm256_xor_si256(sum, _mm256_shuffle_epi8(part[8 + k], upper));
    }
    return sum;
  }
};

struct Avx2 : Avx2Bilinear {
  static constexpr bool ORDERS = true;

  struct Levels {
    static constexpr int COUNT = 32;
    __m256i v;

    static Levels load(const uint8_t *from) { return {load_ymm(from)}; }
    void store(uint8_t *to) const { store_ymm(to, v); }
    // Puts the smaller of two first, byte by byte.
    static void order(Levels &low, Levels &high) {
      const __m256i least = _mm256_min_epu8(low.v, high.v);
      high.v = _mm256_max_epu8(low.v, high.v);
      low.v = least;
    }
  };

  // 16 pixels of three channels fill three registers; `place` says where each byte comes from.
  struct Thirds {
    __m128i place[3][3];

    // Whether to put planes together, or to take pixels apart.
    explicit Thirds(bool together) {
      alignas(16) uint8_t from[3][3][16];
      std::memset(from, 0x80, sizeof(from));
      for (int i = 0; i < 48; ++i) {  // byte i of the pixels is byte i / 3 of plane i % 3
        if (together)
          from[i / 16][i % 3][i % 16] = uint8_t(i / 3);
        else
          from[i % 3][i / 16][i / 3] = uint8_t(i % 16);
      }
      for (int j = 0; j < 3; ++j)
        for (int k = 0; k < 3; ++k) place[j][k] = load_xmm(from[j][k]);
    }
    __m128i pick(const __m128i *v, int j) const {
      const __m128i first = _mm_or_si128(_mm_shuffle_epi8(v[0], place[j][0]),
                                         _mm_shuffle_epi8(v[1], place[j][1]));
      return _mm_or_si128(first, _mm_shuffle_epi8(v[2], place[j][2]));
    }
  };

  template <int C>
  static void join(const uint8_t *planes, uint8_t *out, int64_t pixels) {
    if constexpr (C != 3) {
      Plain::join<C>(planes, out, pixels);
    } else {
      const Thirds thirds(true);
      int64_t p = 0;
      for (; p + 16 <= pixels; p += 16) {
        __m128i v[3];
        for (int c = 0; c < 3; ++c) v[c] = load_xmm(planes + c * pixels + p);
        for (int k = 0; k < 3; ++k) store_xmm(out + 3 * p + 16 * k, thirds.pick(v, k));
      }
      for (; p < pixels; ++p)
        for (int c = 0; c < 3; ++c) out[3 * p + c] = planes[c * pixels + p];
    }
  }

  template <int C>
  static void part(const uint8_t *in, uint8_t *planes, int64_t pixels) {
    if constexpr (C != 3) {
      Plain::part<C>(in, planes, pixels);
    } else {
      const Thirds thirds(false);
      int64_t p = 0;
      for (; p + 16 <= pixels; p += 16) {
        __m128i v[3];
        for (int k = 0; k < 3; ++k) v[k] = load_xmm(in + 3 * p + 16 * k);
        for (int c = 0; c < 3; ++c) store_xmm(planes + c * pixels + p, thirds.pick(v, c));
      }
      for (; p < pixels; ++p)
        for (int c = 0; c < 3; ++c) planes[c * pixels + p] = in[3 * p + c];
    }
  }

  // True if a table only flips bits, as that of Invert: then `bits` are those.
  static bool flips(const Table &table, __m256i &bits) {
    alignas(32) static constexpr uint8_t FIRST[32] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    __m256i differ = _mm256_setzero_si256(), levels = load_ymm(FIRST);
    bits = _mm256_set1_epi8(char(table.at[0]));
    for (int v = 0; v < 256; v += 32, levels = _mm256_add_epi8(levels, _mm256_set1_epi8(32))) {
      const __m256i flipped = _mm256_xor_si256(levels, bits);
      differ = _mm256_or_si256(differ, _mm256_xor_si256(flipped, load_ymm(table.at + v)));
    }
    return _mm256_testz_si256(differ, differ);
  }

  static void look_up_all(const uint8_t *in, uint8_t *out, int64_t size, const Table &table) {
    int64_t i = 0;
    __m256i bits;
    if (flips(table, bits)) {
      for (; i + 32 <= size; i += 32) store_ymm(out + i, _mm256_xor_si256(load_ymm(in + i), bits));
      return Plain::look_up_all(in + i, out + i, size - i, table);
    }
    const Chain chain(table);
    for (; i + 32 <= size; i += 32) store_ymm(out + i, chain.look_up(load_ymm(in + i)));
    Plain::look_up_all(in + i, out + i, size - i, table);
  }

  // 32 RGB pixels fill three registers, whose bytes i hold three different colours. Blends gather
  // the bytes of one colour in a register, and distribute them again.
  struct Mixer {
    __m256i second, third;  // bytes i with i % 3 == 1 and i % 3 == 2

    Mixer() {
      alignas(32) uint8_t s[32], t[32];
      for (int i = 0; i < 32; ++i) {
        s[i] = i % 3 == 1 ? 255 : 0;
        t[i] = i % 3 == 2 ? 255 : 0;
      }
      second = load_ymm(s);
      third = load_ymm(t);
    }
    // Returns colour j of three registers, or register j of three colours.
    __m256i pick(const __m256i *v, int j) const {
      const __m256i mixed = _mm256_blendv_epi8(v[2 * j % 3], v[(2 * j + 1) % 3], second);
      return _mm256_blendv_epi8(mixed, v[(2 * j + 2) % 3], third);
    }
  };

  template <int C>
  static void look_up(const uint8_t *in, uint8_t *out, int64_t pixels, const Table *tables) {
    if constexpr (C != 3) {
      Plain::look_up<C>(in, out, pixels, tables);
    } else {
      const Chain chain[3] = {Chain(tables[0]), Chain(tables[1]), Chain(tables[2])};
      const Mixer mixer;
      int64_t p = 0;
      for (; p + 32 <= pixels; p += 32) {
        __m256i v[3], seen[3];
        for (int k = 0; k < 3; ++k) v[k] = load_ymm(in + 3 * p + 32 * k);
        for (int c = 0; c < 3; ++c) seen[c] = chain[c].look_up(mixer.pick(v, c));
        for (int k = 0; k < 3; ++k) store_ymm(out + 3 * p + 32 * k, mixer.pick(seen, k));
      }
      Plain::look_up<C>(in + 3 * p, out + 3 * p, pixels - p, tables);
    }
  }

  // Pillow's luma of 8 pixels, 4 from `first` and 4 from `second`. The weight of green is split
  // into twice 19235, so that the weights fit the signed 16-bit multiply-add.
  template <int C>
  static __m256i luma8(__m128i first, __m128i second) {
    const __m256i pixels = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    const auto pick = [&](char c) {  // channels c and c + 1 of each pixel as 16-bit integers
      const char n = -1;
      const __m128i one = _mm_setr_epi8(c, n, c + 1, n, c + C, n, c + C + 1, n, c + 2 * C, n,
                                        c + 2 * C + 1, n, c + 3 * C, n, c + 3 * C + 1, n);
      return _mm256_shuffle_epi8(pixels, _mm256_broadcastsi128_si256(one));
    };
    const __m256i sum = _mm256_add_epi32(
        _mm256_madd_epi16(pick(0), _mm256_set1_epi32(19235 << 16 | 19595)),
        _mm256_madd_epi16(pick(1), _mm256_set1_epi32(7471 << 16 | 19235)));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(0x8000)), 16);
  }

  // The number of pixels to process eight at a time: 16-byte loads must not pass the end.
  template <int C>
  static int64_t in_eights(int64_t pixels) {
    return C == 4 ? pixels / 8 * 8 : pixels < 10 ? 0 : (pixels - 2) / 8 * 8;
  }

  template <int C>
  static uint64_t luma_sum(const uint8_t *in, int64_t pixels) {
    constexpr int64_t MOST = 1 << 24;  // pixels before a lane could overflow
    if constexpr (C == 1) return Plain::luma_sum<C>(in, pixels);
    if (pixels > MOST) return luma_sum<C>(in, MOST) + luma_sum<C>(in + MOST * C, pixels - MOST);
    __m256i sum = _mm256_setzero_si256();
    int64_t p = 0;
    for (; p < in_eights<C>(pixels); p += 8)
      sum = _mm256_add_epi32(sum, luma8<C>(load_xmm(in + p * C), load_xmm(in + (p + 4) * C)));
    alignas(32) uint32_t lane[8];
    store_ymm(lane, sum);
    uint64_t total = Plain::luma_sum<C>(in + p * C, pixels - p);
    for (int i = 0; i < 8; ++i) total += lane[i];
    return total;
  }

  // Image.blend of 8 values: single precision, clamped to [0, 255], truncated.
  static void blend8(__m256 from, __m256 to, __m256 share, uint8_t *out) {
    const __m256 mixed = _mm256_add_ps(from, _mm256_mul_ps(share, _mm256_sub_ps(to, from)));
    const __m256i whole = _mm256_cvttps_epi32(mixed);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole),
                                           _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i *>(out), _mm_packus_epi16(words, words));
  }

  static __m256 floats8(const uint8_t *from) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(from))));
  }

  static void blend(const uint8_t *from, const uint8_t *to, uint8_t *out, int64_t size,
                    float share) {
    const __m256 factor = _mm256_set1_ps(share);
    int64_t i = 0;
    for (; i + 8 <= size; i += 8) blend8(floats8(from + i), floats8(to + i), factor, out + i);
    Plain::blend(from + i, to + i, out + i, size - i, share);
  }

  template <int C>
  static void saturate(const uint8_t *in, uint8_t *out, int64_t pixels, float share) {
    const __m256 factor = _mm256_set1_ps(share);
    alignas(32) int32_t owner[C][8];  // the pixel, of 8, of each of their 8 C bytes
    for (int i = 0; i < 8 * C; ++i) owner[i / 8][i % 8] = i / C;
    int64_t p = 0;
    for (; p < in_eights<C>(pixels); p += 8) {
      const uint8_t *from = in + p * C;
      const __m256 grey = _mm256_cvtepi32_ps(luma8<C>(load_xmm(from), load_xmm(from + 4 * C)));
      for (int part = 0; part < C; ++part) {
        const __m256 own = _mm256_permutevar8x32_ps(grey, load_ymm(owner[part]));
        blend8(own, floats8(from + 8 * part), factor, out + p * C + 8 * part);
      }
      if (C == 4)
        for (int i = 3; i < 32; i += 4) out[p * C + i] = from[i];
    }
    Plain::saturate<C>(in + p * C, out + p * C, pixels - p, share);
  }

  template <int C>
  static void sharpen_line(const uint8_t *row, int64_t line, uint8_t *out, float share) {
    if (line < 16 + 2 * C) return Plain::sharpen_line<C>(row, line, out, share);
    const __m256 factor = _mm256_set1_ps(share);
    const auto wide = [](const uint8_t *at) { return _mm256_cvtepu8_epi16(load_xmm(at)); };
    const auto column = [&](const uint8_t *at) {
      return _mm256_add_epi16(_mm256_add_epi16(wide(at - line), wide(at)), wide(at + line));
    };
    const auto floats = [](__m128i v) { return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(v)); };
    for (int64_t i = C; i < line - C; i += 16) {
      if (i > line - C - 16) i = line - C - 16;  // the last step overlaps the one before
      const __m256i here = wide(row + i);
      __m256i sum = _mm256_add_epi16(column(row + i - C), column(row + i + C));
      sum = _mm256_add_epi16(sum, column(row + i));
      sum = _mm256_add_epi16(sum, _mm256_slli_epi16(here, 2));
      // floor(sum / 13 + 1/2), as in the plain kernel.
      const __m256i smooth = _mm256_mulhi_epu16(_mm256_add_epi16(sum, _mm256_set1_epi16(6)),
                                                _mm256_set1_epi16(5042));
      blend8(floats(_mm256_castsi256_si128(smooth)), floats(_mm256_castsi256_si128(here)), factor,
             out + i);
      blend8(floats(_mm256_extracti128_si256(smooth, 1)),
             floats(_mm256_extracti128_si256(here, 1)), factor, out + i + 8);
    }
  }

  template <int C>
  static void nearest_run(const View &in, uint8_t *out, const Fixed &f, int32_t x, int32_t y,
                          int64_t count) {
    const int64_t line = int64_t(in.width) * C;
    if (line * in.height >= int64_t(1) << 31 || (C == 3 && !one_more<C>(in)))
      return Plain::nearest_run<C>(in, out, f, x, y, count);
    const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const auto steps = [&](int32_t from, int32_t step) {
      return _mm256_add_epi32(_mm256_set1_epi32(from),
                              _mm256_mullo_epi32(_mm256_set1_epi32(step), numbers));
    };
    __m256i u = steps(x, f.xx), v = steps(y, f.yx);
    const __m256i u_step = _mm256_set1_epi32(along(0, f.xx, 8));
    const __m256i v_step = _mm256_set1_epi32(along(0, f.yx, 8));
    alignas(32) int32_t place[8];
    for (; count > 0; count -= 8, out += 8 * C) {
      const __m256i column = _mm256_srai_epi32(u, 16), row = _mm256_srai_epi32(v, 16);
      store_ymm(place, _mm256_add_epi32(_mm256_mullo_epi32(row, _mm256_set1_epi32(int(line))),
                                        _mm256_mullo_epi32(column, _mm256_set1_epi32(C))));
      if (count > 8) {
        for (int k = 0; k < 8; ++k) std::memcpy(out + k * C, in.data + place[k], C == 1 ? 1 : 4);
      } else {  // no next pixel overwrites the fourth byte of the last one
        for (int k = 0; k + 1 < count; ++k)
          std::memcpy(out + k * C, in.data + place[k], C == 1 ? 1 : 4);
        std::memcpy(out + (count - 1) * C, in.data + place[count - 1], C);
      }
      u = _mm256_add_epi32(u, u_step);
      v = _mm256_add_epi32(v, v_step);
    }
  }

  // Processes whole pixels, 15 or 16 bytes at a time; the next store overwrites excess bytes.
  template <int C>
  static void flip_line(const uint8_t *in, uint8_t *out, int width) {
    constexpr int COUNT = 16 / C, BYTES = COUNT * C, BEFORE = 16 - BYTES;
    alignas(16) uint8_t place[16];
    for (int i = 0; i < 16; ++i)
      place[i] = uint8_t(i < BYTES ? BEFORE + (COUNT - 1 - i / C) * C + i % C : 0);
    const __m128i backwards = load_xmm(place);
    int x = 0;
    for (; x + COUNT < width; x += COUNT) {
      const __m128i v = load_xmm(in + (width - x - COUNT) * C - BEFORE);
      _mm_storeu_si128(reinterpret_cast<__m128i *>(out + x * C), _mm_shuffle_epi8(v, backwards));
    }
    Plain::flip_line<C>(in, out + x * C, width - x);
  }

  // Exchanges rows and columns of four by four pixels in registers.
  template <int C>
  static void turn_tile(const View &in, uint8_t *out, const Turn &turn, const Tile &tile) {
    if constexpr (C != 3) {
      Plain::turn_tile<C>(in, out, turn, tile);
    } else {
      const char n = -1;
      const __m128i forwards = _mm_setr_epi8(0, 1, 2, n, 3, 4, 5, n, 6, 7, 8, n, 9, 10, 11, n);
      const __m128i backwards = _mm_setr_epi8(9, 10, 11, n, 6, 7, 8, n, 3, 4, 5, n, 0, 1, 2, n);
      const __m128i spread = turn.from_right ? backwards : forwards;
      const __m128i packed = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, n, n, n, n);
      const int64_t line = turn.side * 3, step = turn.from_below ? -line : line;
      const int64_t right = tile.left + (tile.right - tile.left) / 4 * 4;
      const int64_t bottom = tile.top + (tile.bottom - tile.top) / 4 * 4;
      for (int64_t y = tile.top; y < bottom; y += 4) {
        const uint8_t *from = in.data + turn.column(turn.from_right ? y + 3 : y) * 3 +
                              turn.row(tile.left) * line;
        // The last line is the only one behind which four bytes may be missing.
        const bool whole = from + 16 <= in.end && from + (right - tile.left) * step + 16 <= in.end;
        for (int64_t x = tile.left; x < right; x += 4, from += 4 * step) {
          __m128i v[4];
          for (int k = 0; k < 4; ++k) {
            const uint8_t *at = from + k * step;
            v[k] = _mm_shuffle_epi8(whole ? load_xmm(at) : four_pixels(at, in.end), spread);
          }
          const __m128i a = _mm_unpacklo_epi32(v[0], v[1]), b = _mm_unpacklo_epi32(v[2], v[3]);
          const __m128i c = _mm_unpackhi_epi32(v[0], v[1]), d = _mm_unpackhi_epi32(v[2], v[3]);
          const __m128i turned[4] = {_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b),
                                     _mm_unpacklo_epi64(c, d), _mm_unpackhi_epi64(c, d)};
          for (int k = 0; k < 4; ++k) {
            const __m128i row = _mm_shuffle_epi8(turned[k], packed);
            uint8_t *to = out + (y + k) * line + x * 3;
            if (x + 6 <= turn.side) {  // the next pixels overwrite the last four bytes
              store_xmm(to, row);
            } else {
              _mm_storel_epi64(reinterpret_cast<__m128i *>(to), row);
              const int last = _mm_extract_epi32(row, 2);
              std::memcpy(to + 8, &last, 4);
            }
          }
        }
      }
      // In this order, since up to four bytes too many are written to the right.
      Plain::turn_tile<C>(in, out, turn, {tile.left, bottom, right, tile.bottom});
      Plain::turn_tile<C>(in, out, turn, {right, tile.top, tile.right, tile.bottom});
    }
  }

  // 12 bytes, and 4 more where they may be read.
  static __m128i four_pixels(const uint8_t *from, const uint8_t *end) {
    if (from + 16 <= end) return load_xmm(from);
    int last;
    std::memcpy(&last, from + 8, 4);
    return _mm_insert_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(from)), last, 2);
  }
};

}  // namespace
