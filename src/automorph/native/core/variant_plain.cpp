// The engine for any processor.
#include "processor.hpp"
#include "one.hpp"

const Variant *plain_variant() { return &VARIANT<Plain>; }
