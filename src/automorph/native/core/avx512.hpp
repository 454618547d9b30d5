// Hand-written colour kernels for AVX-512 with VBMI (byte permutations of whole registers).
#pragma once
#include <immintrin.h>

#include "avx2.hpp"

namespace {

constexpr int64_t AHEAD = 4096;  // bytes by which large images are prefetched

inline __m512i load64(const void *from) { return _mm512_loadu_si512(from); }
inline __m256i load32(const void *from) {
  return _mm256_loadu_si256(static_cast<const __m256i *>(from));
}
inline __m128i load16(const void *from) {
  return _mm_loadu_si128(static_cast<const __m128i *>(from));
}
inline void store16(void *to, __m128i v) { _mm_storeu_si128(static_cast<__m128i *>(to), v); }

// A mask of the first `count` of 64 lanes.
inline __mmask64 lanes(int64_t count) {
  return count <= 0 ? 0 : count >= 64 ? ~0ull : (1ull << count) - 1;
}

// Stores the first `count` of 16 pixels. Masked stores are slow, so full stores avoid them.
template <int C>
inline void store_pixels(uint8_t *out, __m512i pixels, int count) {
  if (count < 16) {
    _mm512_mask_storeu_epi8(out, lanes(count * C), pixels);
  } else if (C == 4) {
    _mm512_storeu_si512(out, pixels);
  } else {
    if (C == 3) _mm256_storeu_si256(reinterpret_cast<__m256i *>(out), _mm512_castsi512_si256(pixels));
    store16(out + 16 * C - 16, _mm512_extracti32x4_epi32(pixels, C - 1));
  }
}

// Masks of each channel's lanes in consecutive 64-byte registers, the first starting at pixel 0.
template <int C>
struct ChannelLanes {
  __mmask64 at[C][4];

  constexpr ChannelLanes() : at{} {
    for (int part = 0; part < C; ++part)
      for (int i = 0; i < 64; ++i) at[part][(64 * part + i) % C] |= 1ull << i;
  }
};

// 64 bytes with f(i) in lane i, computed at compile time.
struct Bytes {
  alignas(64) uint8_t v[64];
};

template <class F>
constexpr Bytes bytes(F f) {
  Bytes made{};
  for (int i = 0; i < 64; ++i) made.v[i] = uint8_t(f(i));
  return made;
}

// A 256-entry table in four registers.
struct Registers {
  __m512i part[4];

  explicit Registers(const Table &table) {
    for (int k = 0; k < 4; ++k) part[k] = _mm512_load_si512(table.at + 64 * k);
  }
  __m512i look_up(__m512i v) const {
    const __m512i lower = _mm512_permutex2var_epi8(part[0], v, part[1]);
    const __m512i upper = _mm512_permutex2var_epi8(part[2], v, part[3]);
    return _mm512_mask_mov_epi8(lower, _mm512_movepi8_mask(v), upper);
  }
};

struct Avx512Colours : Avx2 {
  struct Levels {
    static constexpr int COUNT = 64;
    __m512i v;

    static Levels load(const uint8_t *from) { return {load64(from)}; }
    void store(uint8_t *to) const { _mm512_storeu_si512(to, v); }
    static void order(Levels &low, Levels &high) {
      const __m512i least = _mm512_min_epu8(low.v, high.v);
      high.v = _mm512_max_epu8(low.v, high.v);
      low.v = least;
    }
  };

  static void look_up_all(const uint8_t *in, uint8_t *out, int64_t size, const Table &table) {
    const Registers registers(table);
    int64_t i = 0;
    for (; i + 64 <= size; i += 64) {
      Ahead::fetch(in + i + AHEAD);
      _mm512_storeu_si512(out + i, registers.look_up(load64(in + i)));
    }
    const __mmask64 rest = lanes(size - i);
    if (!rest) return;
    const __m512i v = _mm512_maskz_loadu_epi8(rest, in + i);
    _mm512_mask_storeu_epi8(out + i, rest, registers.look_up(v));
  }

  template <int C>
  static void look_up(const uint8_t *in, uint8_t *out, int64_t pixels, const Table *tables) {
    if constexpr (C == 1) {
      look_up_all(in, out, pixels, tables[0]);
    } else {
      static constexpr ChannelLanes<C> channel;
      const Registers red(tables[0]), green(tables[1]), blue(tables[2]);
      const auto colours = [&](__m512i v, int part) {
        __m512i mixed = red.look_up(v);
        mixed = _mm512_mask_mov_epi8(mixed, channel.at[part][1], green.look_up(v));
        mixed = _mm512_mask_mov_epi8(mixed, channel.at[part][2], blue.look_up(v));
        return C == 4 ? _mm512_mask_mov_epi8(mixed, channel.at[part][3], v) : mixed;
      };
      const int64_t size = pixels * C;
      int64_t i = 0;
      for (; i + 64 * C <= size; i += 64 * C)
        for (int part = 0; part < C; ++part)
          _mm512_storeu_si512(out + i + 64 * part, colours(load64(in + i + 64 * part), part));
      for (int part = 0; i < size; i += 64, ++part) {
        const __mmask64 rest = lanes(size - i);
        const __m512i v = _mm512_maskz_loadu_epi8(rest, in + i);
        _mm512_mask_storeu_epi8(out + i, rest, colours(v, part));
      }
    }
  }

  // Pillow's luma of 16 pixels. The weight of green is split into twice 19235, so that the weights
  // fit the signed 16-bit multiply-add: (red, green) and (green, blue).
  template <int C>
  static __m512i luma16(__m512i pixels) {
    static constexpr Bytes first = bytes([](int i) { return i / 4 * C + i % 4 / 2; });
    static constexpr Bytes second = bytes([](int i) { return i / 4 * C + i % 4 / 2 + 1; });
    const __mmask64 even = 0x5555555555555555;
    const auto pick = [&](const Bytes &which) {
      return _mm512_maskz_permutexvar_epi8(even, _mm512_load_si512(which.v), pixels);
    };
    const __m512i sum = _mm512_add_epi32(
        _mm512_madd_epi16(pick(first), _mm512_set1_epi32(19235 << 16 | 19595)),
        _mm512_madd_epi16(pick(second), _mm512_set1_epi32(7471 << 16 | 19235)));
    return _mm512_srli_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(0x8000)), 16);
  }

  template <int C>
  static uint64_t luma_sum(const uint8_t *in, int64_t pixels) {
    if constexpr (C == 1) return Plain::luma_sum<C>(in, pixels);
    constexpr int64_t MOST = 1 << 24;  // pixels before a lane could overflow
    if (pixels > MOST) return luma_sum<C>(in, MOST) + luma_sum<C>(in + MOST * C, pixels - MOST);
    __m512i sum = _mm512_setzero_si512();
    int64_t p = 0;
    for (; p * C + 64 <= pixels * C; p += 16)
      sum = _mm512_add_epi32(sum, luma16<C>(load64(in + p * C)));
    return uint32_t(_mm512_reduce_add_epi32(sum)) + Plain::luma_sum<C>(in + p * C, pixels - p);
  }

  // Image.blend of 16 values: single precision, clamped to [0, 255], truncated.
  static __m128i blend16(__m512 from, __m512 to, __m512 share) {
    const __m512 mixed = _mm512_add_ps(from, _mm512_mul_ps(share, _mm512_sub_ps(to, from)));
    const __m512i whole = _mm512_max_epi32(_mm512_cvttps_epi32(mixed), _mm512_setzero_si512());
    return _mm512_cvtusepi32_epi8(whole);
  }

  static __m512 floats(__m128i v) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(v)); }

  static void blend(const uint8_t *from, const uint8_t *to, uint8_t *out, int64_t size,
                    float share) {
    const __m512 factor = _mm512_set1_ps(share);
    int64_t i = 0;
    for (; i + 16 <= size; i += 16)
      store16(out + i, blend16(floats(load16(from + i)), floats(load16(to + i)), factor));
    Plain::blend(from + i, to + i, out + i, size - i, share);
  }

  template <int C>
  static void saturate(const uint8_t *in, uint8_t *out, int64_t pixels, float share) {
    const __m512 factor = _mm512_set1_ps(share);
    alignas(64) int32_t owner[C][16];  // the pixel, of 16, of each of their 16 C bytes
    for (int i = 0; i < 16 * C; ++i) owner[i / 16][i % 16] = i / C;
    int64_t p = 0;
    for (; p * C + 64 <= pixels * C; p += 16) {
      const uint8_t *from = in + p * C;
      const __m512 grey = _mm512_cvtepi32_ps(luma16<C>(load64(from)));
      for (int part = 0; part < C; ++part) {
        const __m128i v = load16(from + 16 * part);
        const __m512 own = _mm512_permutexvar_ps(_mm512_load_si512(owner[part]), grey);
        const __m128i mixed = blend16(own, floats(v), factor);
        store16(out + p * C + 16 * part, C == 4 ? _mm_mask_mov_epi8(mixed, 0x8888, v) : mixed);
      }
    }
    Plain::saturate<C>(in + p * C, out + p * C, pixels - p, share);
  }

  template <int C>
  static void sharpen_line(const uint8_t *row, int64_t line, uint8_t *out, float share) {
    if (line < 32 + 2 * C) return Plain::sharpen_line<C>(row, line, out, share);
    const __m512 factor = _mm512_set1_ps(share);
    const auto wide = [](const uint8_t *at) { return _mm512_cvtepu8_epi16(load32(at)); };
    const auto column = [&](const uint8_t *at) {
      return _mm512_add_epi16(_mm512_add_epi16(wide(at - line), wide(at)), wide(at + line));
    };
    const auto floats16 = [](__m256i v) { return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(v)); };
    for (int64_t i = C; i < line - C; i += 32) {
      if (i > line - C - 32) i = line - C - 32;  // the last step overlaps the one before
      const __m512i here = wide(row + i);
      __m512i sum = _mm512_add_epi16(column(row + i - C), column(row + i + C));
      sum = _mm512_add_epi16(sum, column(row + i));
      sum = _mm512_add_epi16(sum, _mm512_slli_epi16(here, 2));
      // floor(sum / 13 + 1/2), as in the plain kernel.
      const __m512i smooth = _mm512_mulhi_epu16(_mm512_add_epi16(sum, _mm512_set1_epi16(6)),
                                                _mm512_set1_epi16(5042));
      store16(out + i, blend16(floats16(_mm512_castsi512_si256(smooth)),
                               floats16(_mm512_castsi512_si256(here)), factor));
      store16(out + i + 16, blend16(floats16(_mm512_extracti64x4_epi64(smooth, 1)),
                                    floats16(_mm512_extracti64x4_epi64(here, 1)), factor));
    }
  }
};

}  // namespace
