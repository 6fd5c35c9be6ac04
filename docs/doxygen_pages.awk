# SPDX-License-Identifier: MIT
# Doxygen's view of a Markdown file (docs/Doxyfile): pages and headings get the labels that links
# need, links to files outside the site become plain text, and pictures keep their folders
# (./run docs copies them).
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
  if (marks == "#" && match(folder, /runs\/.*\//)) text = text " of " substr(folder, RSTART)
  $0 = marks " " text (id in used ? "" : " {#" id "}")
  used[id] = 1
}

{
  line = $0
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
