// Applies the whole sequence of an image while the image is in the cache.
//
// Consecutive pointwise operations are merged into one table per channel (histograms and means are
// computed through the table); the table is applied when an operation needs pixels, or at the end.
// Affine maps are resampled one by one or, in fused mode, composed and resampled once. The walk
// stops before a black box.
#pragma once
#include "interface.h"
#include "plain.hpp"
#include "random.hpp"
#include "resampling.hpp"
#include "scratch.hpp"

namespace {

constexpr int BLOCK = 1024;    // pixels per lookup when statistics are computed through a table

// The random words of one operation on one image: draw 0 is the sign, 1 and 2 are positions.
struct Draws {
  const Batch &batch;
  int64_t row;
  int position;
  bool drawn = false;
  Words words{};

  uint32_t word(int draw) {
    if (!drawn) {  // each position of a sequence has 2^24 draws, four per block
      words = philox({{uint32_t(batch.index[row]), batch.epoch, uint32_t(position) << 22,
                       batch.copy[row]}},
                     batch.key[0], batch.key[1]);
      drawn = true;
    }
    return words.v[draw];
  }
  // floor(u * limit), where u is the upper 24 bits as a number in [0, 1).
  int64_t below(int64_t limit, int draw) { return int64_t(word(draw) >> 8) * limit >> 24; }
};

// Processes images one by one; K holds the kernels of an instruction set, C is the channel count.
template <class K, int C>
class Walk {
 public:
  explicit Walk(const Batch &batch)
      : batch_(batch),
        fill_(batch.fill, C),
        pixels_(int64_t(batch.height) * batch.width),
        size_(pixels_ * C),
        scratch_(2, size_) {}

  Status run(int64_t first, int64_t last) {
    if (!scratch_.ready()) return OUT_OF_MEMORY;
    Status status = DONE;
    for (int64_t row = first; row < last; ++row) {
      const Status one = image(row);
      if (one < DONE) return one;
      if (one == STOPPED) status = STOPPED;
    }
    return status;
  }

 private:
  static constexpr int COLOUR = COLOURS<C>;

  // Runs the sequence of one image, from where it stopped to its end or to a black box.
  Status image(int64_t row) {
    const int64_t first = row * batch_.length, slots = batch_.prefixes ? batch_.length + 1 : 1;
    const int start = batch_.position ? batch_.position[row] : 0;
    slot_ = batch_.out + row * slots * size_ + (batch_.prefixes ? start * size_ : 0);
    now_ = {slot_, batch_.out + batch_.n * slots * size_, batch_.height, batch_.width};
    if (start == 0) {
      now_.data = batch_.images + row * size_;
      now_.end = batch_.images + batch_.n * size_;
    }
    table_ = moved_ = false;
    int stop = start, last = start;
    for (; stop < batch_.length; ++stop) {
      if (!acts(first + stop)) continue;
      if (batch_.op[first + stop] >= batch_.operation_count) return BAD_OPERATION;
      if (operation(first + stop).kernel == BLACK_BOX) {
        Draws draws{batch_, row, stop};
        if (!neutral(first + stop, value(first + stop, draws))) break;
      }
      last = stop;
    }
    for (int position = start; position < stop; ++position) {
      if (batch_.prefixes) {
        show();
        slot_ += size_;
      }
      last_ = position == last || batch_.prefixes;
      if (acts(first + position)) step(row, position);
    }
    // Whatever runs the black box reads an unchanged image from the batch.
    const bool untouched = stop == 0 && stop < batch_.length && !batch_.prefixes;
    if (!untouched) show();
    if (batch_.position) batch_.position[row] = stop;
    return stop < batch_.length ? STOPPED : DONE;
  }

  bool acts(int64_t place) const { return batch_.fire[place] && batch_.op[place] >= 0; }

  const Operation &operation(int64_t place) const { return batch_.operations[batch_.op[place]]; }

  // Converts the magnitude to a value in the operation's unit.
  double value(int64_t place, Draws &draws) const {
    const Operation &o = operation(place);
    const bool plus = !(o.flags & SIGNED) || draws.word(0) < 0x80000000;
    const double value = o.base + batch_.magnitude[place] * (plus ? o.plus : o.minus);
    return o.flags & WHOLE ? std::nearbyint(value) : value;
  }

  bool neutral(int64_t place, double value) const {
    return operation(place).flags & NEUTRAL && value == operation(place).identity;
  }

  void step(int64_t row, int position) {
    const int64_t place = row * batch_.length + position;
    Draws draws{batch_, row, position};
    const double value = this->value(place, draws);
    if (neutral(place, value)) return;
    const int width = batch_.width, height = batch_.height;
    const int shorter = width < height ? width : height;
    const bool share = operation(place).flags & SHARE;
    const int32_t kernel = operation(place).kernel;
    Table table;
    if (point_table(kernel, value, &table)) return look_up(table);
    switch (kernel) {
      case SHEAR_X: return move(shear(shear_angle(value), 0.0));
      case SHEAR_Y: return move(shear(0.0, shear_angle(value)));
      case TRANSLATE_X: return move(shift(truncated(share ? value * width : value), 0));
      case TRANSLATE_Y: return move(shift(0, truncated(share ? value * height : value)));
      case ROTATE: return move(rotation(value, width, height));
      case HORIZONTAL_FLIP: return move(mirror(width));
      case VERTICAL_FLIP: return move(upside_down(height));
      case PAD_CROP: return pad_crop(value, draws);
      case CONTRAST: return look_up(blend_table(mean_grey(), value));
      case AUTO_CONTRAST: return auto_contrast();
      case EQUALIZE: return equalize();
      case COLOR: return color(float(value));
      case SHARPNESS: return sharpen(float(value));
      case CUTOUT:
        return cutout(truncated(share ? value * shorter : value), operation(place).paint, draws);
      case SAMPLE_PAIRING: return pair(float(value), draws);
      default: return;
    }
  }

  // --- location of the pixels ------------------------------------------------------------------

  uint8_t *spare() const {
    return now_.data == scratch_.image[0] ? scratch_.image[1] : scratch_.image[0];
  }

  // The destination of the next pixels: the result if no operation follows, else scratch memory.
  uint8_t *target() {
    if (!last_) return spare();
    if (now_.data == slot_) hold(spare(), now_.data);
    return slot_;
  }

  void hold(uint8_t *out, const uint8_t *pixels) {
    std::memcpy(out, pixels, size_t(size_));
    arrive(out);
  }

  void arrive(const uint8_t *pixels) {
    now_.data = pixels;
    const bool own = pixels == scratch_.image[0] || pixels == scratch_.image[1];
    now_.end = own ? pixels + size_ + SLACK : pixels + size_;
  }

  // Applies the pending map or table, so that `now_` holds the pixels.
  void settle() {
    if (moved_) {
      uint8_t *out = spare();
      resample(now_, out, map_);
      arrive(out);
      moved_ = false;
    } else if (table_) {
      settle_table(spare());
    }
  }

  void settle_table(uint8_t *out) {
    apply_table(now_.data, out, pixels_);
    arrive(out);
    table_ = false;
  }

  // Writes the current pixels to the result. A pending map stays pending.
  void show() {
    if (moved_) {
      if (now_.data == slot_) hold(spare(), now_.data);
      resample(now_, slot_, map_);
    } else if (table_) {
      settle_table(slot_);
    } else if (now_.data != slot_) {
      hold(slot_, now_.data);
    }
  }

  // --- affine maps -----------------------------------------------------------------------------

  void move(const Affine &map) {
    if (batch_.fused) {
      if (table_) settle();
      map_ = moved_ ? compose(map_, map) : map;
      moved_ = true;
      return;
    }
    settle();
    uint8_t *out = target();
    resample(now_, out, map);
    arrive(out);
  }

  void resample(const View &in, uint8_t *out, const Affine &map) const {
    Resampling<K, C>{fill_, batch_.bilinear != 0, batch_.outside}.run(in, out, map);
  }

  int64_t line() const { return int64_t(batch_.width) * C; }

  void pad_crop(double value, Draws &draws) {
    const auto pad_x = int64_t(std::nearbyint(value * batch_.width));
    const auto pad_y = int64_t(std::nearbyint(value * batch_.height));
    move(shift(double(pad_x - draws.below(2 * pad_x + 1, 1)),
               double(pad_y - draws.below(2 * pad_y + 1, 2))));
  }

  // --- tables ----------------------------------------------------------------------------------

  // Appends a pointwise operation with the same table for all colours.
  void look_up(const Table &table) {
    if (moved_) settle();
    for (int c = 0; c < (table_ && !uniform_ ? COLOUR : 1); ++c) {
      if (table_)
        K::look_up_all(tables_[c].at, tables_[c].at, 256, table);
      else
        tables_[c] = table;
    }
    if (!table_) uniform_ = true;
    table_ = true;
  }

  // Appends a pointwise operation with one table per colour.
  void look_up(const Table (&own)[COLOUR]) {
    for (int c = COLOUR - 1; c >= 0; --c) {
      const Table &before = tables_[table_ && !uniform_ ? c : 0];
      Table after = own[c];
      if (table_) K::look_up_all(before.at, after.at, 256, own[c]);
      tables_[c] = after;
    }
    uniform_ = COLOUR == 1;
    table_ = true;
  }

  void apply_table(const uint8_t *in, uint8_t *out, int64_t pixels) {
    if (uniform_ && C != 4) return K::look_up_all(in, out, pixels * C, tables_[0]);
    if (uniform_)
      for (int c = 1; c < COLOUR; ++c) tables_[c] = tables_[0];
    uniform_ = COLOUR == 1;
    K::template look_up<C>(in, out, pixels, tables_);
  }

  // Calls a function on the pixels, looked up in the table, block by block.
  template <class F>
  void each_block(F use) {
    if (moved_) settle();
    if (!table_) return use(now_.data, pixels_);
    alignas(64) uint8_t block[BLOCK * C + SLACK];
    for (int64_t p = 0; p < pixels_; p += BLOCK) {
      const int64_t count = pixels_ - p < BLOCK ? pixels_ - p : BLOCK;
      apply_table(now_.data + p * C, block, count);
      use(block, count);
    }
  }

  int mean_grey() {
    uint64_t sum = 0;
    each_block([&](const uint8_t *block, int64_t count) {
      sum += K::template luma_sum<C>(block, count);
    });
    return int(double(sum) / double(pixels_) + 0.5);
  }

  void auto_contrast() {
    uint8_t low[C], high[C];
    std::memset(low, 255, C);
    std::memset(high, 0, C);
    each_block([&](const uint8_t *block, int64_t count) {
      K::template extrema<C>(block, count, low, high);
    });
    bool stretched = false;
    Table own[COLOUR];
    for (int c = 0; c < COLOUR; ++c) {
      own[c] = stretch_table(low[c], high[c]);
      stretched |= high[c] > low[c] && high[c] - low[c] < 255;
    }
    if (stretched) look_up(own);
  }

  void equalize() {
    if (moved_) settle();
    alignas(64) uint32_t counts[COLOUR][256];
    K::template histogram<C>(now_.data, pixels_, tally_, counts);
    for (int c = 0; table_ && c < COLOUR; ++c) {  // map the counts through the table
      const uint8_t *at = tables_[uniform_ ? 0 : c].at;
      uint32_t seen[256] = {};
      for (int v = 0; v < 256; ++v) seen[at[v]] += counts[c][v];
      std::memcpy(counts[c], seen, sizeof(seen));
    }
    Table own[COLOUR];
    equalize_tables<COLOUR>(counts, pixels_, own);
    look_up(own);
  }

  // --- operations on pixels ----------------------------------------------------------------------

  void color(float share) {
    if (moved_) settle();
    if constexpr (C > 1) {
      settle();
      uint8_t *out = target();
      K::template saturate<C>(now_.data, out, pixels_, share);
      arrive(out);
    }
  }

  void sharpen(float share) {
    settle();
    uint8_t *out = target();
    K::template sharpen<K, C>(now_, out, share);
    arrive(out);
  }

  // Paints a square at a random position; alpha is kept.
  void cutout(int side, const uint8_t *colour, Draws &draws) {
    const int width = batch_.width, height = batch_.height;
    const int left = int(draws.below(width, 1)) - side / 2;
    const int top = int(draws.below(height, 2)) - side / 2;
    settle();
    uint8_t *out = target();
    if (now_.data != out) hold(out, now_.data);
    const int x0 = clamp(left, 0, width), x1 = clamp(left + side, x0, width);
    const int y0 = clamp(top, 0, height), y1 = clamp(top + side, y0, height);
    for (int y = y0; y < y1; ++y)
      for (int x = x0; x < x1; ++x) std::memcpy(out + y * line() + x * C, colour, COLOUR);
  }

  // Blends in an untransformed image of the batch.
  void pair(float share, Draws &draws) {
    settle();
    uint8_t *out = target();
    K::blend(now_.data, batch_.images + draws.below(batch_.n, 1) * size_, out, size_, share);
    arrive(out);
  }

  const Batch &batch_;
  const Fill fill_;
  const int64_t pixels_, size_;
  Scratch scratch_;
  uint8_t *slot_ = nullptr;  // the current slot of the result
  View now_{};               // the pixels before the pending map or table
  bool last_ = false;        // no operation follows the current one
  bool table_ = false, uniform_ = false, moved_ = false;  // whether a table or map is pending
  Table tables_[COLOUR];
  Tally tally_;
  Affine map_{};
};

// Processes rows [first, last) of a batch with the kernels of an instruction set.
template <class K>
Status walk(const Batch &batch, int64_t first, int64_t last) {
  switch (batch.channels) {
    case 1: return Walk<K, 1>(batch).run(first, last);
    case 3: return Walk<K, 3>(batch).run(first, last);
    default: return Walk<K, 4>(batch).run(first, last);
  }
}

}  // namespace
