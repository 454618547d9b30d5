// Hand-written bilinear interpolation for AVX-512 along columns, as by ShearY.
#pragma once
#include "avx512_bilinear.hpp"
#include "columns.hpp"

namespace {

// Every column moves by a number of rows that is the same in all rows, and not whole. So a line of
// the result blends two lines of the input whose columns have moved by whole rows, and the lower of
// them is the upper one of the next line.
template <int C>
class Drop {
 public:
  // True if columns are read from columns.
  static bool fits(const Affine &map, const View &in) {
    const double *m = map.m;
    return m[0] == 1.0 && m[1] == 0.0 && m[2] == 0.0 && m[4] == 1.0 && m[3] != 0.0 &&
           std::fabs(m[3]) * in.width + std::fabs(m[5]) < 1e6;
  }

  Drop(const View &view, const Affine &affine, const Fill &colour)
      : in_(view),
        map_(affine),
        fill_(colour),
        line_(int64_t(view.width) * C),
        groups_((line_ + 31) / 32),
        lines_(2 * 32 * (groups_ + 1)),
        shares_(4 * 16 * groups_),
        runs_(view.width, [&](int x) { return rows(x); }) {
    for (int x = 0; x < in_.width; ++x) {
      const double share = shift(x) - std::floor(shift(x));
      apart_ &= share > CLOSE && share < 1.0 - CLOSE && std::fabs(share - 0.5) > CLOSE;
    }
    if (ready()) weigh();
  }

  // False without memory, or if a position is too close to where another pixel begins.
  bool ready() const { return apart_ && lines_ && shares_ && runs_.at; }

  void run(uint8_t *out) {
    uint8_t *upper = lines_.at(), *lower = lines_.at(32 * (groups_ + 1));
    moved(0, upper);
    Ahead ahead(in_, C);
    for (int y = 0; y < in_.height; ++y, out += line_) {
      ahead.until(last_line(map_, y, in_.width, in_.height));
      moved(y + 1, lower);
      blend(upper, lower, out, y);
      outside(out, y);
      uint8_t *known = upper;
      upper = lower;
      lower = known;
    }
  }

 private:
  static constexpr double CLOSE = 1e-6;

  double shift(int x) const { return map_.m[3] * (x + 0.5) + map_.m[5]; }
  int rows(int x) const { return int(std::floor(shift(x))); }
  double share(int x) const { return shift(x) - std::floor(shift(x)); }

  // The shares of the values of 32 bytes, in the order in which `blend` has them.
  void weigh() {
    std::memset(shares_.at(), 0, size_t(4 * 16 * groups_) * 4);
    for (int64_t byte = 0; byte < line_; ++byte) {
      const auto below = int32_t(share(int(byte / C)) * (1 << 28)), above = (1 << 28) - below;
      const int64_t place = byte % 32;
      int32_t *group = shares_.at(byte / 32 * 64 + place % 8 / 4 * 32 + place / 8 * 4 + place % 4);
      group[0] = above >> 14 | below >> 14 << 16;
      group[16] = (above & 0x3FFF) | (below & 0x3FFF) << 16;
    }
  }

  // The line whose columns come from `y` and as many rows below as they move; edges are replicated.
  void moved(int y, uint8_t *out) const {
    const uint8_t *end = out + 32 * groups_;
    for (int k = 0; k < runs_.count; ++k) {
      const Run run = runs_.at[k];
      const int64_t row = clamp(y + run.rows, 0, in_.height - 1), first = int64_t(run.first) * C;
      copy_ahead(out + first, end, in_.data + row * line_ + first, in_.end,
                 int64_t(run.last - run.first) * C);
    }
  }

  // As `Shares`, which says why the few lanes that are unsure are computed one by one.
  void blend(const uint8_t *upper, const uint8_t *lower, uint8_t *out, int y) const {
    const int32_t *shares = shares_.at();
    for (int64_t i = 0; i < line_; i += 32, shares += 64) {
      const __m512i a = _mm512_cvtepu8_epi16(load32(upper + i));
      const __m512i b = _mm512_cvtepu8_epi16(load32(lower + i));
      __mmask16 unsure[2];
      const __m512i low = blended(_mm512_unpacklo_epi16(a, b), load64(shares),
                                  load64(shares + 16), unsure[0]);
      const __m512i high = blended(_mm512_unpackhi_epi16(a, b), load64(shares + 32),
                                  load64(shares + 48), unsure[1]);
      const __m256i mixed = _mm512_cvtepi16_epi8(_mm512_packus_epi32(low, high));
      const auto known = __mmask32(lanes(line_ - i < 32 ? line_ - i : 32));
      if (line_ - i >= 32)
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + i), mixed);
      else
        _mm256_mask_storeu_epi8(out + i, known, mixed);
      if (!(unsure[0] | unsure[1])) continue;
      uint32_t again = _pdep_u32(unsure[0], 0x0F0F0F0F) | _pdep_u32(unsure[1], 0xF0F0F0F0);
      again &= uint32_t(_mm512_cmpneq_epi16_mask(a, b)) & known;  // equal neighbours are exact
      for (; again; again &= again - 1) {
        const int64_t byte = i + __builtin_ctz(again);
        out[byte] = precise(int(byte / C), y, upper[byte], lower[byte]);
      }
    }
  }

  // Pillow's arithmetic for one value.
  uint8_t precise(int x, int y, int a, int b) const {
    const double *m = map_.m, xc = x + 0.5, yc = y + 0.5;
    const double v = m[3] * xc + m[4] * yc + m[5];
    const double dy = v - 0.5 - std::floor(v - 0.5);
    return uint8_t(a + (b - a) * dy);
  }

  // Columns are outside where 0 <= y + shift + 0.5 < height does not hold.
  void outside(uint8_t *out, int y) const {
    for (int k = 0; k < runs_.count; ++k) {
      const Run run = runs_.at[k];
      const int row = y + run.rows;
      if (row >= 0 && row < in_.height - 1) continue;
      for (int x = run.first; x < run.last; ++x) {
        const int nearest = row + (share(x) > 0.5);
        if (nearest < 0 || nearest >= in_.height) std::memcpy(out + int64_t(x) * C, fill_.run, C);
      }
    }
  }

  const View &in_;
  const Affine &map_;
  const Fill &fill_;
  const int64_t line_, groups_;
  const Buffer<uint8_t> lines_;
  const Buffer<int32_t> shares_;
  const Runs runs_;
  bool apart_ = true;
};

}  // namespace
