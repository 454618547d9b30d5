// Scratch memory: aligned, padded for reads past its end, and freed with its owner.
#pragma once
#include <cstdint>
#include <cstdlib>

namespace {

constexpr int64_t PADDING = 64;  // bytes that vector loads may read past the end

template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t count)
      : memory_(std::malloc(size_t(count) * sizeof(T) + size_t(2 * PADDING))),
        start_(reinterpret_cast<T *>(static_cast<uint8_t *>(memory_) + PADDING -
                                     reinterpret_cast<uintptr_t>(memory_) % PADDING)) {}
  ~Buffer() { std::free(memory_); }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  explicit operator bool() const { return memory_ != nullptr; }
  T *at(int64_t place = 0) const { return start_ + place; }
  T &operator[](int64_t place) const { return start_[place]; }

 private:
  void *memory_;
  T *start_;
};

// The nearest integer, ties to even, of numbers below 2^22 (or 2^51); every compiler vectorises it.
inline float nearest_whole(float v) { return (v + 12582912.0f) - 12582912.0f; }
inline double nearest_whole(double v) { return (v + 6755399441055744.0) - 6755399441055744.0; }

// The level of a number, rounded as NumPy's rint and clip do.
inline uint8_t level(double v) {
  return uint8_t(int(nearest_whole(v < 0.0 ? 0.0 : v > 255.0 ? 255.0 : v)));
}

// Mirrors a place outside [0, side) into it, about the centres of the pixels at the edges.
inline int64_t mirrored(int64_t place, int64_t side) {
  if (side == 1) return 0;
  const int64_t period = 2 * (side - 1);
  int64_t turned = place % period;
  if (turned < 0) turned += period;
  return turned < period - turned ? turned : period - turned;
}

}  // namespace
