# SPDX-License-Identifier: MIT
# Conan 2: Gaze's headers with its own CMake package (gaze::gaze, gaze::models, gaze::kernels).
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain
from conan.tools.files import copy, load


class Gaze(ConanFile):
    name = "gaze"
    description = "A tensor engine, a small vision-language model, and GRPO on physics"
    license = "MIT"
    topics = ("tensor", "autograd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"

    def repository(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self.repository(), "CMakeLists.txt"))
        self.version = re.search(r"project\(gaze VERSION ([0-9.]+)", text).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "models/*", "cuda/*"):
            copy(self, pattern, self.repository(), self.export_sources_folder)

    def validate(self):
        if self.settings.get_safe("compiler.cppstd"):
            check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["GAZE_HEADERS_ONLY"] = True
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # find_package() reads the package's own file, which has the target gaze::kernels.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/gaze"]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
