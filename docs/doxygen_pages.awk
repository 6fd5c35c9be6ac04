# SPDX-License-Identifier: MIT
# Doxygen's view of a Markdown file (docs/Doxyfile): pages and headings get the labels that links
# need, links to files outside the site become plain text, pictures keep their folders (./run docs
# copies them), and formulas get Doxygen's marks.
FNR == 1 {
  page = FILENAME
  root = ENVIRON["PWD"] "/"
  if (index(page, root) == 1) page = substr(page, length(root) + 1)
  folder = page
  if (!sub(/[^\/]*$/, "", folder)) folder = ""
}

# A path relative to this file, from the root.
function resolved(path) {
  path = folder path
  while (sub(/[^\/]+\/\.\.\//, "", path)) continue
  return path
}

function label(path) {
  if (path == "README.md") return "mainpage"
  sub(/\.md$/, "", path)
  gsub(/[^A-Za-z0-9]/, "-", path)
  return path
}

# The anchor that GitHub gives a heading.
function anchor(heading) {
  heading = tolower(heading)
  gsub(/[^a-z0-9 _-]/, "", heading)
  gsub(/ /, "-", heading)
  return heading
}

function path_of(target) {
  sub(/#.*/, "", target)
  return target == "" ? page : resolved(target)
}

function reference(target) {
  return "](@ref " label(path_of(target)) (sub(/.*#/, "-", target) ? target : "") ")"
}

function linked(before, text, target,   path) {
  if (target ~ /:\/\//) return before "[" text "](" target ")"
  path = path_of(target)
  if (path ~ /\.(svg|png)$/) return "<img src=\"" path "\" alt=\"" text "\">"
  return path ~ /\.md$/ ? "[" text reference(target) : text
}

/^ *```/ { fence = !fence }
fence || /^ *```/ || /^    / { print; next }

/^#+ / {
  marks = text = $0
  sub(/ .*/, "", marks)
  sub(/^#+ /, "", text)
  id = label(page) (marks == "#" ? "" : "-" anchor(text))
  gsub(/`/, "", text)
  if (text ~ /^[0-9]+\. /) sub(/\./, ":", text)  # the title is no list
  if (marks == "#" && match(folder, /runs\/.*\//)) text = text " of " substr(folder, RSTART)
  $0 = marks " " text (id in used ? "" : " {#" id "}")
  used[id] = 1
}

# $$x$$ and $x$ as Doxygen writes them; what stands between backticks stays.
function formulas(line,   part, count, i, out, text) {
  count = split(line, part, "`")
  for (i = 1; i <= count; ++i) {
    text = part[i]
    if (i % 2)
      while (match(text, /\$\$?/)) {
        if (RLENGTH == 2) display = !display
        else inline = !inline
        out = out substr(text, 1, RSTART - 1) (RLENGTH == 1 ? "\\f$" : display ? "\\f[" : "\\f]")
        text = substr(text, RSTART + RLENGTH)
      }
    out = out text (i < count ? "`" : "")
  }
  return out
}

{
  line = formulas($0)
  out = ""
  while (match(line, /!?\[[^]]*\]\([^) ]+\)/)) {
    part = substr(line, RSTART, RLENGTH)
    out = out substr(line, 1, RSTART - 1)
    line = substr(line, RSTART + RLENGTH)
    before = sub(/^!/, "", part) ? "!" : ""
    at = index(part, "](")
    out = out linked(before, substr(part, 2, at - 2), substr(part, at + 2, length(part) - at - 2))
  }
  if (match(line, /\]\([^): ]+\.md[^) ]*\)/))  # a link that begins on the line before
    line = substr(line, 1, RSTART - 1) reference(substr(line, RSTART + 2, RLENGTH - 3)) \
           substr(line, RSTART + RLENGTH)
  print out line
}
