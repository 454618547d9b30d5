// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): random words from counters.
//
// Bit-identical to `automorph.operations.random`. Loops run over LANES counters at once, so that
// the compiler can vectorise them.
#pragma once
#include <cstring>

#include "interface.h"

namespace {

constexpr uint32_t PHILOX_M0 = 0xD2511F53, PHILOX_M1 = 0xCD9E8D57;
constexpr uint32_t WEYL_0 = 0x9E3779B9, WEYL_1 = 0xBB67AE85;
constexpr int ROUNDS = 10, LANES = 16;

struct Words {
  uint32_t v[4];
};

inline Words philox(Words counter, uint32_t k0, uint32_t k1) {
  uint32_t *c = counter.v;
  for (int turn = 0; turn < ROUNDS; ++turn, k0 += WEYL_0, k1 += WEYL_1) {
    const uint64_t p0 = uint64_t(PHILOX_M0) * c[0], p1 = uint64_t(PHILOX_M1) * c[2];
    counter = {{uint32_t(p1 >> 32) ^ c[1] ^ k0, uint32_t(p1), uint32_t(p0 >> 32) ^ c[3] ^ k1,
                uint32_t(p0)}};
  }
  return counter;
}

// LANES blocks in a structure of arrays, so that every line below is one vector operation.
struct Lanes {
  alignas(64) uint32_t c[4][LANES];

  void run(uint32_t k0, uint32_t k1) {
    for (int turn = 0; turn < ROUNDS; ++turn, k0 += WEYL_0, k1 += WEYL_1)
      for (int i = 0; i < LANES; ++i) {
        const uint64_t p0 = uint64_t(PHILOX_M0) * c[0][i], p1 = uint64_t(PHILOX_M1) * c[2][i];
        c[0][i] = uint32_t(p1 >> 32) ^ c[1][i] ^ k0;
        c[2][i] = uint32_t(p0 >> 32) ^ c[3][i] ^ k1;
        c[1][i] = uint32_t(p1);
        c[3][i] = uint32_t(p0);
      }
  }

  // Loads one block of LANES rows from `row` on; lanes beyond the last row repeat `row`.
  void load(const Counters &counters, int64_t row, uint32_t block) {
    for (int i = 0; i < LANES; ++i) {
      const int64_t r = row + i < counters.n ? row + i : row;
      c[0][i] = uint32_t(counters.index[r]);
      c[1][i] = counters.epoch;
      c[2][i] = block;
      c[3][i] = counters.copy[r] | counters.stage << 24;
    }
  }
};

inline int rows_left(const Counters &counters, int64_t row) {
  return int(counters.n - row < LANES ? counters.n - row : LANES);
}

// The end of the range of blocks that contain the draws; a block has four draws.
inline uint32_t end_block(uint32_t start, uint32_t draws) {
  return uint32_t((uint64_t(start) + draws + 3) / 4);
}

// Where the random words of one row begin: a counter without its block, the key and the first draw.
struct RowWords {
  uint32_t index, epoch, copy, key[2];
  int64_t start;
};

// Generates `count` consecutive words of one row: LANES blocks at once.
inline void row_bits(const RowWords &row, int64_t count, uint32_t *out) {
  int64_t skipped = row.start % 4, block = row.start / 4;
  Lanes lanes;
  for (int64_t done = 0; done < count; block += LANES, skipped = 0) {
    for (int i = 0; i < LANES; ++i) {
      lanes.c[0][i] = row.index;
      lanes.c[1][i] = row.epoch;
      lanes.c[2][i] = uint32_t(block) + uint32_t(i);
      lanes.c[3][i] = row.copy;
    }
    lanes.run(row.key[0], row.key[1]);
    uint32_t words[4 * LANES];
    for (int i = 0; i < LANES; ++i)
      for (int word = 0; word < 4; ++word) words[4 * i + word] = lanes.c[word][i];
    const int64_t all = 4 * LANES - skipped, some = count - done < all ? count - done : all;
    std::memcpy(out + done, words + skipped, size_t(some) * 4);
    done += some;
  }
}

// Generates the words (n, draws) of a stream from draw `start` on.
inline void stream_bits(const Counters &counters, const uint32_t *key, uint32_t start,
                        uint32_t draws, uint32_t *out) {
  if (draws >= 4 * LANES) {
    for (int64_t r = 0; r < counters.n; ++r) {
      const RowWords row = {uint32_t(counters.index[r]), counters.epoch,
                            counters.copy[r] | counters.stage << 24, {key[0], key[1]}, start};
      row_bits(row, draws, out + r * draws);
    }
    return;
  }
  Lanes lanes;
  for (uint32_t block = start / 4; block < end_block(start, draws); ++block)
    for (int64_t row = 0; row < counters.n; row += LANES) {
      lanes.load(counters, row, block);
      lanes.run(key[0], key[1]);
      for (uint32_t word = 0; word < 4; ++word) {
        const uint32_t draw = 4 * block + word - start;  // wraps to a large number before `start`
        if (draw >= draws) continue;
        for (int i = 0; i < rows_left(counters, row); ++i)
          out[(row + i) * draws + draw] = lanes.c[word][i];
      }
    }
}

// Finds the name with the largest word, (n, draws); `keys` (names, 2) holds one key per name.
inline void stream_race(const Counters &counters, const uint32_t *keys, int32_t names,
                        uint32_t start, uint32_t draws, int16_t *out) {
  Lanes begin;
  for (uint32_t block = start / 4; block < end_block(start, draws); ++block)
    for (int64_t row = 0; row < counters.n; row += LANES) {
      begin.load(counters, row, block);
      Lanes best = begin;
      best.run(keys[0], keys[1]);
      alignas(64) uint32_t winner[4][LANES] = {};
      for (int32_t name = 1; name < names; ++name) {
        Lanes bid = begin;
        bid.run(keys[2 * name], keys[2 * name + 1]);
        for (int word = 0; word < 4; ++word)
          for (int i = 0; i < LANES; ++i) {  // ties go to the first name
            const bool more = bid.c[word][i] > best.c[word][i];
            best.c[word][i] = more ? bid.c[word][i] : best.c[word][i];
            winner[word][i] = more ? uint32_t(name) : winner[word][i];
          }
      }
      for (uint32_t word = 0; word < 4; ++word) {
        const uint32_t draw = 4 * block + word - start;
        if (draw >= draws) continue;
        for (int i = 0; i < rows_left(counters, row); ++i)
          out[(row + i) * draws + draw] = int16_t(winner[word][i]);
      }
    }
}

}  // namespace
