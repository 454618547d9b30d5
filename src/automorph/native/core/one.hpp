// One image in one call: draws the sequence, and processes the image.
#pragma once
#include "sampler.hpp"
#include "walk.hpp"

namespace {

template <class K, int C>
Status one_image(Batch &batch, const Example &example) {
  const int64_t pixels = int64_t(batch.height) * batch.width;
  if (C == 1 || !(example.planes_in || example.planes_out)) return Walk<K, C>(batch).run(0, 1);
  // Planes are put together before the walk and taken apart after it.
  Scratch whole(2, pixels * C);
  if (!whole.ready()) return OUT_OF_MEMORY;
  if (example.planes_in) {
    K::template join<C>(example.image, whole.image[0], pixels);
    batch.images = whole.image[0];
  }
  if (example.planes_out) batch.out = whole.image[1];
  const Status status = Walk<K, C>(batch).run(0, 1);
  if (example.planes_out) K::template part<C>(whole.image[1], example.out, pixels);
  return status;
}

template <class K>
Status one(const Plan &plan, const Example &example) {
  Sequence drawn;
  draw(plan, example, drawn);
  Batch batch{};
  batch.images = example.image;
  batch.out = example.out;
  batch.op = drawn.op;
  batch.magnitude = drawn.magnitude;
  batch.fire = drawn.fire;
  batch.operations = plan.operations;
  batch.index = &example.index;
  batch.copy = &example.copy;
  batch.n = 1;
  batch.length = plan.length;
  batch.operation_count = plan.operation_count;
  batch.height = example.height;
  batch.width = example.width;
  batch.channels = plan.channels;
  batch.epoch = example.epoch;
  std::memcpy(batch.key, plan.key, sizeof(batch.key));
  std::memcpy(batch.fill, plan.fill, sizeof(batch.fill));
  batch.bilinear = plan.bilinear;
  batch.outside = plan.outside;
  switch (batch.channels) {
    case 1: return one_image<K, 1>(batch, example);
    case 3: return one_image<K, 3>(batch, example);
    default: return one_image<K, 4>(batch, example);
  }
}

template <class K>
constexpr Variant VARIANT = {walk<K>, one<K>, stream_bits, stream_race};

}  // namespace
