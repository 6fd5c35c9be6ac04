// SPDX-License-Identifier: MIT
// Chat prompts of published checkpoints. A folder's template is a Jinja program; here each known
// one is a function, chosen by comparing the template's text, so a prompt is right or refused.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/json.hpp"
#include "gaze/text/tokenizing.hpp"

namespace gaze::models::hf {

/// Text, or the place of a picture.
struct ChatContent {
  std::string text;
  bool picture = false;
};

struct ChatMessage {
  std::string role;  // system, user, assistant
  std::vector<ChatContent> content;

  ChatMessage(std::string of, std::vector<ChatContent> parts)
      : role(std::move(of)), content(std::move(parts)) {}
  ChatMessage(std::string of, std::string text)
      : ChatMessage(std::move(of), std::vector<ChatContent>{{std::move(text)}}) {}
};

/// A piece of a prompt: one control token such as <|im_end|>, or the place of a picture, or text,
/// in which control tokens are ordinary characters. Neighbouring texts are encoded as one.
struct PromptPart {
  std::string text;
  bool control = false, picture = false;
};

/// Writes the messages, and the start of the assistant's answer.
using ChatWriter = std::vector<PromptPart> (*)(std::span<const ChatMessage>);

struct ChatTemplate {
  std::string_view name;
  std::string_view text;  // the Jinja program that `write` stands for
  ChatWriter write;
};

namespace detail {

inline void add_content(std::vector<PromptPart>& out, const ChatMessage& m) {
  for (const ChatContent& c : m.content) out.push_back({c.text, false, c.picture});
}

inline void add_chatml_message(std::vector<PromptPart>& out, const ChatMessage& m) {
  out.push_back({"<|im_start|>", true});
  out.push_back({m.role + "\n", false});
  add_content(out, m);
  out.push_back({"<|im_end|>", true});
  out.push_back({"\n", false});
}

/// <|im_start|>ROLE\nTEXT<|im_end|>\n for each message, then <|im_start|>assistant\n.
inline std::vector<PromptPart> write_chatml(std::span<const ChatMessage> messages) {
  std::vector<PromptPart> out;
  for (const ChatMessage& m : messages) add_chatml_message(out, m);
  out.push_back({"<|im_start|>", true});
  out.push_back({"assistant\n", false});
  return out;
}

/// ChatML with SmolLM2's system message if there is none.
inline std::vector<PromptPart> write_smollm2(std::span<const ChatMessage> messages) {
  std::vector<PromptPart> out;
  if (!messages.empty() && messages.front().role != "system")
    add_chatml_message(
        out, {"system", "You are a helpful AI assistant named SmolLM, trained by Hugging Face"});
  const auto rest = write_chatml(messages);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

/// <|im_start|>, then Role: TEXT<end_of_utterance>\n for each message, then Assistant:. No space
/// stands before a picture.
inline std::vector<PromptPart> write_smolvlm(std::span<const ChatMessage> messages) {
  std::vector<PromptPart> out{{"<|im_start|>", true}};
  for (const ChatMessage& m : messages) {
    std::string role = m.role;  // all known ones are lower case
    if (!role.empty() && role[0] >= 'a' && role[0] <= 'z') role[0] -= 'a' - 'A';
    out.push_back({role + (!m.content.empty() && m.content.front().picture ? ":" : ": "), false});
    add_content(out, m);
    out.push_back({"<end_of_utterance>", true});
    out.push_back({"\n", false});
  }
  out.push_back({"Assistant:", false});
  return out;
}

}  // namespace detail

/// The templates that are known. Sources: tokenizer_config.json of SmolLM2-135M-Instruct; nanoVLM;
/// chat_template.json of SmolVLM-256M-Instruct.
inline constexpr std::array<ChatTemplate, 3> chat_templates = {{
    {"smollm2",
     "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
     "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
     "Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
     "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
     "{{ '<|im_start|>assistant\n' }}{% endif %}",
     detail::write_smollm2},
    {"chatml",
     "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
     "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
     "{{ '<|im_start|>assistant\n' }}{% endif %}",
     detail::write_chatml},
    {"smolvlm",
     "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
     "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
     "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
     "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
     "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}"
     "{% endif %}",
     detail::write_smolvlm},
}};

/// The known template with this text; null for another.
inline const ChatTemplate* find_chat_template(std::string_view text) {
  for (const ChatTemplate& t : chat_templates)
    if (t.text == text) return &t;
  return nullptr;
}

/// The template named "default" of a list of named ones, else the JSON itself, which is not known.
inline std::string default_template(const io::Json& templates) {
  if (templates.is_array())
    for (const io::Json& named : templates)
      if (named.is_object() && named.value("name", io::Json()) == "default" &&
          named.value("template", io::Json()).is_string())
        return named["template"].get<std::string>();
  return templates.dump();
}

/// The text of a folder's chat template and its file: chat_template.jinja, chat_template.json, or
/// the key of tokenizer_config.json; both "" if it has none.
inline std::pair<std::string, std::string> read_chat_template(const std::string& folder) {
  const std::string jinja = folder + "/chat_template.jinja";
  if (std::filesystem::exists(jinja)) return {io::read_file(jinja, io::kMaxJsonFileBytes), jinja};
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    const std::string path = folder + "/" + name;
    if (!std::filesystem::exists(path)) continue;
    const io::Json file = io::read_json_object(path);
    const auto found = file.find("chat_template");
    if (found == file.end() || found->is_null()) continue;
    return {found->is_string() ? found->get<std::string>() : default_template(*found), path};
  }
  return {};
}

/// The parts of a prompt template's text with {question}: added tokens of the tokenizer in it are
/// control tokens, in the question they are not; `picture_token` ("": none) is the place of a
/// picture. Throws Error unless {question} occurs once.
template <class Tokenizer>
std::vector<PromptPart> fill_template(const Tokenizer& tokenizer, const std::string& text,
                                      const std::string& question, const std::string& source,
                                      const std::string& picture_token = "") {
  const std::string field = "{question}";
  const std::size_t at = text.find(field);
  GAZE_CHECK(at != text.npos && text.find(field, at + 1) == text.npos, "prompt", source,
             ": a prompt template has {question} in it, once");
  std::vector<PromptPart> out;
  const auto add = [&](std::string_view part) {
    tokenizer.cut(
        part,
        [&](std::string_view words) {
          out.push_back({std::string(words), false});
        },
        [&](const auto& token) {
          const bool picture = !picture_token.empty() && token.content == picture_token;
          out.push_back({token.content, !picture, picture});
        });
  };
  add(std::string_view(text).substr(0, at));
  out.push_back({question, false});
  add(std::string_view(text).substr(at + field.size()));
  return out;
}

/// The tokens of a prompt, whose pictures have been replaced (picture_prompt.hpp).
template <text::Tokenizing Tokenizer>
std::vector<std::int32_t> encode(const Tokenizer& tokenizer, std::span<const PromptPart> parts) {
  std::vector<std::int32_t> out;
  std::string text;
  const auto flush = [&] {
    const auto ids = tokenizer.encode_plain(text);
    out.insert(out.end(), ids.begin(), ids.end());
    text.clear();
  };
  for (const PromptPart& part : parts) {
    GAZE_CHECK(!part.picture, "prompt", "a picture, but the model reads text only");
    if (!part.control) {
      text += part.text;
      continue;
    }
    flush();
    out.push_back(tokenizer.id(part.text));
  }
  flush();
  return out;
}

}  // namespace gaze::models::hf
