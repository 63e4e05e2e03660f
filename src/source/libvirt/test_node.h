// A host of libvirt's test driver with as many VMs as wanted, behind a FaultyConnector and on a clock that
// the test moves. For tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "source/libvirt/event_loop.h"
#include "source/libvirt/faulty_connector.h"
#include "source/libvirt/libvirt_source.h"

namespace virtmeter::test {

class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LibvirtEventLoop::prepare());
    char pattern[] = "/tmp/virtmeter-source-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A node of libvirt's test driver with `count` domains vm0, vm1, ... of 2 NICs and 3 disks each.
  std::string node_uri(int count) const {
    const std::string path = folder_ + "/node.xml";
    std::ofstream file(path);
    file << "<node>";
    for (int i = 0; i < count; ++i) {
      file << "<domain type='test'><name>vm" << i
           << "</name><memory>65536</memory><vcpu>2</vcpu><os><type>hvm</type></os><devices>";
      for (const char* disk : {"vda", "vdb", "vdc"}) {
        file << "<disk type='file' device='disk'><source file='/x'/><target dev='" << disk << "'/></disk>";
      }
      file << "<disk type='file' device='cdrom'><target dev='sda'/></disk>";
      for (const char* nic : {"a", "b"}) {
        file << "<interface type='network'><source network='default'/><target dev='t" << i << nic
             << "'/></interface>";
      }
      file << "<memballoon model='virtio'/></devices></domain>";
    }
    file << "</node>";
    return "test://" + path;
  }

  // With `fast`, in tiers.
  LibvirtSource& open(const std::string& uri, std::size_t chunk = 32, std::unique_ptr<FastReader> fast = {}) {
    auto faulty = std::make_unique<FaultyConnector>(
        std::make_unique<LibvirtConnector>(uri, *parse_libvirt_uri(uri), watch_, CallLimits{}));
    connector_ = faulty.get();
    connector_->clock = &clock_;
    LibvirtSourceOptions options;
    options.uri = uri;
    options.chunk_vms = chunk;
    source_ = std::make_unique<LibvirtSource>(options, std::move(faulty), clock_, std::move(fast));
    return *source_;
  }

  std::vector<VmSample> read() {
    std::vector<VmSample> vms;
    status_ = source_->read(vms);
    return vms;
  }

  static Error failed() { return {Errc::unavailable, "it does not answer", ""}; }

  ManualClock clock_;
  CallWatch watch_{clock_, [](std::uint64_t) {}};
  std::string folder_;
  FaultyConnector* connector_ = nullptr;
  std::unique_ptr<LibvirtSource> source_;
  Status status_;
};

}  // namespace virtmeter::test
