// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "support/temp_dir.h"

namespace lacuna::base {
namespace {

using test::TempDir;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(WriteFileAtomically, ReplacesAndLeavesNothingElse) {
  const TempDir folder;
  const std::string path = folder.write("result.json", "old");
  write_file_atomically(path, "new");
  EXPECT_EQ(read_text_file(path, 100), "new");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(WriteFileAtomically, SaysWhyItCannot) {
  const TempDir folder;
  EXPECT_THAT([&] { write_file_atomically(folder.file("none/x"), ""); },
              ThrowsMessage<UserError>(HasSubstr("No such file or directory")));
  EXPECT_THAT([&] { write_file_atomically(folder.path(), ""); },
              ThrowsMessage<UserError>(HasSubstr("Is a directory")));
  EXPECT_EQ(folder.entries(), 0);
}

TEST(AtomicFileWriter, WithoutCommitTheOldFileStays) {
  const TempDir folder;
  const std::string path = folder.write("result.json", "old");
  {
    AtomicFileWriter writer(path);
    writer.write("half");
    EXPECT_EQ(folder.entries(), 2);
  }
  EXPECT_EQ(read_text_file(path, 100), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFileWriter, CommitShowsTheWholeFile) {
  const TempDir folder;
  AtomicFileWriter writer(folder.file("result.json"));
  for (int i = 0; i < 1000; ++i) writer.write("0123456789");
  writer.commit();
  EXPECT_EQ(read_text_file(folder.file("result.json"), 100'000).size(), 10'000U);
  EXPECT_THROW(writer.write("more"), InternalError);
}

TEST(ReadTextFile, HasBounds) {
  const TempDir folder;
  const std::string path = folder.write("big", std::string(1000, 'x'));
  EXPECT_EQ(read_text_file(path, 1000).size(), 1000U);
  EXPECT_THAT([&] { static_cast<void>(read_text_file(path, 999)); },
              ThrowsMessage<UserError>(HasSubstr("it has 1000 bytes, more than the 999 allowed")));
}

TEST(Reading, RefusesWhatIsNotAFile) {
  const TempDir folder;
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {folder.path(), folder.file("missing"), fifo}) {
    EXPECT_THROW(static_cast<void>(read_text_file(path, 10)), UserError) << path;
    EXPECT_THROW(const MappedFile mapped(path), UserError) << path;
  }
}

TEST(MappedFile, ShowsTheBytesAndMoves) {
  const TempDir folder;
  MappedFile first(folder.write("data", "hello"));
  EXPECT_EQ(first.text(), "hello");
  const MappedFile second(std::move(first));
  EXPECT_EQ(second.text(), "hello");
  EXPECT_EQ(MappedFile(folder.write("empty", "")).size(), 0U);
}

TEST(ResolvePath, StartsFromTheFolderOfTheFile) {
  EXPECT_EQ(resolve_path("../energy/12nm.yaml", "configs/chips/base.yaml"),
            "configs/energy/12nm.yaml");
  EXPECT_EQ(resolve_path("/abs/x.yaml", "configs/chips/base.yaml"), "/abs/x.yaml");
  EXPECT_EQ(resolve_path("x.yaml", "base.yaml"), "x.yaml");
}

TEST(CreateFolders, MakesParentsAndRefusesFilesInTheWay) {
  const TempDir folder;
  create_folders(folder.file("a/b/c"));
  create_folders(folder.file("a/b/c"));
  write_file_atomically(folder.file("a/b/c/x"), "1");
  EXPECT_THROW(create_folders(folder.file("a/b/c/x")), UserError);
  EXPECT_THROW(create_folders(folder.file("a/b/c/x/y")), UserError);
}

}  // namespace
}  // namespace lacuna::base
