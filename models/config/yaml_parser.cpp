// SPDX-License-Identifier: Apache-2.0
//
// Listens to yaml-cpp's events rather than using its document: events have the place of every key,
// show duplicates, and let us count while aliases expand.
#include "config/yaml_parser.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace lacuna::config {

namespace {

std::size_t count_nodes(const Node& node) {
  std::size_t total = 1;
  for (const Node& item : node.items) total += count_nodes(item);
  for (const Member& member : node.members) total += count_nodes(member.value);
  return total;
}

int depth_of(const Node& node) {
  int deepest = 0;
  for (const Node& item : node.items) deepest = std::max(deepest, depth_of(item));
  for (const Member& member : node.members) deepest = std::max(deepest, depth_of(member.value));
  return deepest + 1;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file_name)
      : file_(std::make_shared<const std::string>(file_name)) {}

  [[nodiscard]] Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = place(mark);
    finish(std::move(node), anchor, 1, 1);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) fail(mark, "an alias must not stand inside its own anchor");
    // The copy keeps the places of the original: that is where the values were written.
    finish(known->second.node, 0, known->second.nodes, known->second.depth);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const bool plain = tag == "?" || tag.empty();
    Node node;
    node.place = place(mark);
    if (plain && (value == "~" || value == "null")) {
      finish(std::move(node), anchor, 1, 1);
      return;
    }
    node.kind = Node::Kind::kScalar;
    node.scalar = value;
    finish(std::move(node), anchor, 1, 1);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Anchored {
    Node node;
    std::size_t nodes;
    int depth;
  };
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key;
    Place key_place;
    std::map<std::string, int> key_lines;  ///< keys seen so far
  };

  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    if (mark.is_null()) return {file_, 0, 0};
    return {file_, mark.line + 1, mark.column + 1};
  }

  [[noreturn]] void fail(const Place& where, const std::string& message) const {
    throw base::UserError(where.location(), message);
  }
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const {
    fail(place(mark), message);
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    fail(mark, "the tag '" + base::printable(tag) + "' is not supported; write plain values");
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    if (!frames_.empty() && frames_.back().node.kind == Node::Kind::kMap &&
        !frames_.back().has_key) {
      fail(mark, "a key must be a word, not a list or a map");
    }
    if (static_cast<int>(frames_.size()) >= kMaxDepth) {
      fail(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.place = place(mark);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor != 0) {
      const std::size_t nodes = count_nodes(frame.node);
      total_nodes_ += nodes;  // the kept copy costs memory too
      anchors_[frame.anchor] = {frame.node, nodes, depth_of(frame.node)};
    }
    // Children were counted when they were finished; this adds the container itself.
    finish(std::move(frame.node), 0, 1, 1);
  }

  void finish(Node node, YAML::anchor_t anchor, std::size_t nodes, int depth) {
    total_nodes_ += nodes;
    if (total_nodes_ > kMaxNodes) {
      fail(node.place, fmt::format("more than {} values (aliases count each time)", kMaxNodes));
    }
    if (static_cast<int>(frames_.size()) + depth > kMaxDepth + 1) {
      fail(node.place, fmt::format("nested deeper than {} levels", kMaxDepth));
    }
    if (anchor != 0) {
      total_nodes_ += nodes;  // the kept copy costs memory too
      anchors_[anchor] = {node, nodes, depth};
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::kList) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    if (!frame.has_key) {
      if (node.kind != Node::Kind::kScalar) fail(node.place, "a key must be a word");
      const auto [known, fresh] = frame.key_lines.emplace(node.scalar, node.place.line);
      if (!fresh) {
        fail(node.place, fmt::format("the key '{}' is already given in line {}",
                                     base::printable(node.scalar), known->second));
      }
      if (frame.key_lines.size() > kMaxKeys) {
        fail(node.place, fmt::format("more than {} keys in a map", kMaxKeys));
      }
      frame.key = std::move(node.scalar);
      frame.key_place = node.place;
      frame.has_key = true;
      return;
    }
    frame.node.members.push_back({std::move(frame.key), frame.key_place, std::move(node)});
    frame.has_key = false;
  }

  std::shared_ptr<const std::string> file_;
  Node root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t total_nodes_ = 0;
};

/// Whether line `index` (from 0) of the text is indented with a tab, which YAML forbids and for
/// which the parser has various confusing messages.
bool has_tab_indentation(std::string_view text, int index) {
  for (; index > 0 && !text.empty(); --index) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const std::size_t first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '\t';
}

}  // namespace

Node parse_yaml(std::string_view text, const std::string& file_name) {
  TreeBuilder builder(file_name);
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    throw base::UserError(base::SourceLocation{file_name, 0, 0},
                          "is not a text file (it contains a NUL byte)");
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return {};
    Node root = builder.take();
    TreeBuilder second(file_name);
    if (parser.HandleNextDocument(second)) {
      throw base::UserError(second.take().place.location(),
                            "more than one YAML document in a file");
    }
    if (root.place.file == nullptr) root.place.file = std::make_shared<std::string>(file_name);
    return root;
  } catch (const YAML::Exception& error) {
    base::SourceLocation where{file_name, 0, 0};
    if (!error.mark.is_null()) {
      where.line = error.mark.line + 1;
      where.column = error.mark.column + 1;
    }
    if (where.line > 0 && has_tab_indentation(text, where.line - 1)) {
      where.column = 1;
      throw base::UserError(where, "not valid YAML: indented with a tab; use blanks");
    }
    throw base::UserError(where, "not valid YAML: " + base::printable(error.msg, 200));
  }
}

}  // namespace lacuna::config
