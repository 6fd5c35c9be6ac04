#include "tests/test.hpp"
