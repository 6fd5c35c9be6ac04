# SPDX-License-Identifier: MIT
# Doxygen's view of a header (docs/Doxyfile): the comment at its top describes the file, comments
# behind fields describe these, and special members need no comment. Lines keep their numbers.
NR == 1 { print "/// @file"; next }
/^#pragma once/ { top = 1 }
!top && /^\/\/   / { sub(/^\/\/ */, "///     "); print; next }
!top { sub(/^\/\//, "///"); print; next }

/^ *\/\/\/   +/ { sub(/\/\/\/ +/, "/// <br>\\&emsp;") }  # a line of its own
{ gsub(/et al\. /, "et al.\\&nbsp;") }  # no end of a sentence
/= (delete|default);/ && previous !~ /^ *\/\/\// && !/\/\/\/</ { $0 = "" }
/^(template .*)?(struct|class|enum) .*{$/ { type = 1 }
/^};/ { type = 0 }
type && /^  +[^ \/].*[;,]  +\/\/ / && /^  [^ ]/ { sub(/  +\/\/ /, "  ///< ") }
{ print; previous = $0 }
