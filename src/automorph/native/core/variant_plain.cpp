// The engine for any processor.
#include "processor.hpp"
#include "walk.hpp"

const Variant *plain_variant() { return &VARIANT<Plain>; }
