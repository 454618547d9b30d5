// Hand-written resampling for AVX-512 along columns, as by ShearY.
#pragma once
#include "avx512_bilinear.hpp"
#include "columns.hpp"

namespace {

// Lines whose columns come from lines above or below: neighbouring columns that move alike are
// copied by 32 bytes from left to right, so that what is too much is overwritten.
template <int C>
class Columns {
 public:
  Columns(const View &view, const Runs &runs)
      : in_(view), line_(int64_t(view.width) * C), pieces_(pieces(runs)) {
    if (!ready()) return;
    for (int k = 0; k < runs.count; ++k) {
      const Run run = runs.at[k];
      for (int64_t at = int64_t(run.first) * C; at < int64_t(run.last) * C; at += PIECE)
        pieces_[count_++] = {at + run.rows * line_, int32_t(at), run.rows};
      least_ = run.rows < least_ ? run.rows : least_;
      most_ = run.rows > most_ ? run.rows : most_;
    }
    // The last row in which whole pieces may be read at every place.
    const int64_t safe = (in_.end - in_.data - PIECE) / line_ - 1;
    safe_ = int(safe < in_.height - 1 ? safe : in_.height - 1);
  }

  bool ready() const { return bool(pieces_); }

  // Whether all columns of row y come from inside the image.
  bool inside(int64_t y) const { return y + least_ >= 0 && y + most_ < in_.height; }

  // Writes row y, and a piece beyond its end; edges are replicated.
  void replicated(int64_t y, uint8_t *out) const {
    if (copied(y, out)) return;
    each(out, true, [&](const Piece &piece) {
      const int64_t row = y + piece.rows, last = in_.height - 1;
      return line_ * (row < 0 ? 0 : row < last ? row : last) + in_.data + piece.to;
    });
  }

  // Writes row y, if it is not the last one a piece beyond its end; outside is the fill colour.
  void filled(int64_t y, uint8_t *out, const Fill &fill) const {
    const bool beyond = y + 1 < in_.height;
    if (beyond && copied(y, out)) return;
    each(out, beyond, [&](const Piece &piece) {
      const int64_t row = y + piece.rows;
      return row < 0 || row >= in_.height ? fill.run + piece.to % C
                                          : in_.data + row * line_ + piece.to;
    });
  }

 private:
  static constexpr int64_t PIECE = 32;

  // What is copied to byte `to` of a row: `from` its start in the input, that is `rows` below.
  struct Piece {
    int64_t from;
    int32_t to, rows;
  };

  static int64_t pieces(const Runs &runs) {
    int64_t count = 0;
    for (int k = 0; k < runs.count; ++k)
      count += (int64_t(runs.at[k].last - runs.at[k].first) * C + PIECE - 1) / PIECE;
    return count;
  }

  bool copied(int64_t y, uint8_t *out) const {
    if (y + least_ < 0 || y + most_ > safe_) return false;
    const uint8_t *row = in_.data + y * line_;
    for (const Piece *p = pieces_.at(), *end = p + count_; p < end; ++p)
      _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + p->to), load32(row + p->from));
    return true;
  }

  // Copies each piece from where `source` says; only what is asked for unless `beyond`.
  template <class F>
  void each(uint8_t *out, bool beyond, F source) const {
    const uint8_t *safe = in_.data + (safe_ + 1) * line_;
    for (int64_t k = 0; k < count_; ++k) {
      const int64_t at = pieces_[k].to, next = k + 1 < count_ ? pieces_[k + 1].to : line_;
      const uint8_t *from = source(pieces_[k]);
      const bool inside = from >= in_.data && from < in_.end;
      if (beyond && (!inside || from < safe))
        _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + at), load32(from));
      else
        std::memcpy(out + at, from, size_t(next - at));
    }
  }

  const View &in_;
  const int64_t line_;
  const Buffer<Piece> pieces_;
  int64_t count_ = 0;
  int least_ = 1 << 30, most_ = -(1 << 30), safe_ = 0;
};

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
        room_((line_ + 95) / 64 * 64),
        lines_(2 * room_),
        shares_(4 * 16 * groups_),
        nearest_(view.width),
        runs_(view.width, [&](int x) { return rows(x); }),
        columns_(view, runs_) {
    if (ready()) weigh();
  }

  // False without memory, or if a position is too close to where another pixel begins.
  bool ready() const { return apart_ && lines_ && shares_ && nearest_ && columns_.ready(); }

  void run(uint8_t *out) {
    // A line of the result blends row y of the moved columns with the next one.
    uint8_t *upper = lines_.at(), *lower = lines_.at(room_);
    columns_.replicated(0, upper);
    Ahead ahead(in_, C);
    for (int y = 0; y < in_.height; ++y, out += line_) {
      ahead.until(last_line(map_, y, in_.width, in_.height));
      columns_.replicated(y + 1, lower);
      blend(upper, lower, out, y);
      if (!columns_.inside(y) || !columns_.inside(y + 1)) outside(out, y);
      uint8_t *known = upper;
      upper = lower;
      lower = known;
    }
  }

 private:
  static constexpr double CLOSE = 1e-6;

  double shift(int x) const { return map_.m[3] * (x + 0.5) + map_.m[5]; }
  int rows(int x) const { return int(std::floor(shift(x))); }

  // The shares of the values of 32 bytes, in the order in which `blend` has them.
  void weigh() {
    std::memset(shares_.at(), 0, size_t(4 * 16 * groups_) * 4);
    for (int x = 0; x < in_.width; ++x) {
      const double whole = std::floor(shift(x)), share = shift(x) - whole;
      const auto below = int32_t(share * (1 << 28)), above = (1 << 28) - below;
      const int32_t upper = above >> 14 | below >> 14 << 16;
      const int32_t lower = (above & 0x3FFF) | (below & 0x3FFF) << 16;
      for (int64_t byte = int64_t(x) * C; byte < int64_t(x + 1) * C; ++byte) {
        const int64_t place = byte % 32;
        int32_t *group = shares_.at(byte / 32 * 64 + place % 8 / 4 * 32 + place / 8 * 4 + place % 4);
        group[0] = upper;
        group[16] = lower;
      }
      nearest_[x] = int(whole) + (share > 0.5);
      apart_ &= share > CLOSE && share < 1.0 - CLOSE && std::fabs(share - 0.5) > CLOSE;
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
      again &= known;
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
    for (int x = 0; x < in_.width; ++x)
      if (y + nearest_[x] < 0 || y + nearest_[x] >= in_.height)
        std::memcpy(out + int64_t(x) * C, fill_.run, C);
  }

  const View &in_;
  const Affine &map_;
  const Fill &fill_;
  const int64_t line_, groups_, room_;
  const Buffer<uint8_t> lines_;
  const Buffer<int32_t> shares_;
  const Buffer<int> nearest_;  // how far below each column its nearest row is
  const Runs runs_;
  const Columns<C> columns_;
  bool apart_ = true;
};

}  // namespace
