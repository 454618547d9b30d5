// Scratch memory of a thread, kept between calls: a call with one small image takes less time than
// allocating it and having the system hand out its pages.
#pragma once
#include <cstdint>
#include <cstdlib>

#include "plain.hpp"

namespace {

constexpr int64_t SLACK = 64;            // bytes that vector loads may read past the pixels
constexpr int64_t MOST_KEPT = 16 << 20;  // bytes; more is freed after use

// The kept memory: what a walk takes and gives back, and the same for images put together.
struct Kept {
  void *memory = nullptr;
  int64_t size = 0;
  ~Kept() { std::free(memory); }
};

struct Shelf {
  Kept place[2];

  Kept &largest() { return place[place[1].size > place[0].size]; }
  Kept &smallest() { return place[place[1].size <= place[0].size]; }
};

inline Shelf &shelf() {
  static thread_local Shelf here;
  return here;
}

// Some images of equal size, each aligned and padded for reads past its end.
struct Scratch {
  uint8_t *image[4] = {};

  Scratch(int images, int64_t size) {
    const int64_t room = (size + SLACK + 63) / 64 * 64;
    size_ = images * room + 64;
    Kept &here = shelf().largest();
    if (here.size >= size_) {
      memory_ = here.memory;
      size_ = here.size;
      here.memory = nullptr;
      here.size = 0;
    } else {
      memory_ = std::malloc(size_t(size_));
    }
    if (!memory_) return;
    auto *start = static_cast<uint8_t *>(memory_) + 64 - reinterpret_cast<uintptr_t>(memory_) % 64;
    for (int i = 0; i < images; ++i) image[i] = start + i * room;
  }
  ~Scratch() {
    Kept &here = shelf().smallest();
    if (size_ <= MOST_KEPT && here.size < size_) {
      std::free(here.memory);
      here.memory = memory_;
      here.size = memory_ ? size_ : 0;
    } else {
      std::free(memory_);
    }
  }
  bool ready() const { return memory_ != nullptr; }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

 private:
  void *memory_;
  int64_t size_;
};

}  // namespace
