// Prints what the kernel reader says of VMs, for tests that hold it against libvirt. Each line of standard
// input is one cycle: VMs, separated by tabs, each "uuid id name nic..." with spaces between and %XX for odd
// bytes. Each answer is one line: a JSON object of the VMs by UUID, and "status".
#include <cctype>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "source/kernel/kernel_reader.h"

namespace virtmeter {
namespace {

std::string unescaped(const std::string& word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%' || i + 2 >= word.size()) {
      out += word[i];
      continue;
    }
    out += static_cast<char>(std::stoi(word.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return out;
}

VmSample sample_of(const std::string& words) {
  std::istringstream in(words);
  auto layout = std::make_shared<VmLayout>();
  std::string word;
  in >> layout->uuid_text >> layout->domain_id >> word;
  layout->uuid = parse_uuid(layout->uuid_text).value_or(Uuid{});
  layout->name = unescaped(word);
  while (in >> word) layout->nics.push_back(unescaped(word));
  VmSample sample;
  begin_sample(sample, layout);
  return sample;
}

template <Scope S>
void print(const Values<S>& values, RowRange rows) {
  for (MetricId id = rows.first; id < rows.end; ++id) {
    if (const auto value = values.integer(id)) std::cout << '"' << metric(id).name << "\":" << *value << ',';
  }
}

void print(const VmKernelReading& reading) {
  std::cout << "\"minor_faults\":" << reading.minor_faults << ",\"major_faults\":" << reading.major_faults
            << ",\"vcpus\":{";
  const char* comma = "";
  for (const VcpuTimes& vcpu : reading.vcpus) {
    if (!vcpu.times) continue;
    std::cout << comma << '"' << vcpu.vcpu << "\":[" << vcpu.times->run_ns << ',' << vcpu.times->delay_ns
              << ']';
    comma = ",";
  }
  std::cout << "},";
}

void print_vm(KernelReader& reader, VmSample& sample) {
  const FastCoverage covered = reader.read(sample);
  std::cout << '"' << sample.layout->uuid_text << "\":{";
  print(sample.values, line_rows(Line::vm_metrics));
  print(sample.values, line_rows(Line::vm_totals));
  if (const VmKernelReading* reading = reader.reading(sample.layout->uuid)) print(*reading);
  std::cout << "\"nics\":[";
  for (std::size_t i = 0; covered.nics && i < sample.nics.size(); ++i) {
    std::cout << (i == 0 ? "{" : ",{");
    print(sample.nics[i], line_rows(Line::nic));
    std::cout << "\"\":0}";
  }
  std::cout << "],\"covered\":[" << covered.cpu_time << ',' << covered.resident << ',' << covered.cpu_count
            << ',' << covered.nics << "]},";
}

void print(const FastStatus& status) {
  std::cout << "\"status\":{\"followed\":" << status.vms_followed << ",\"not_found\":" << status.vms_not_found
            << ",\"ambiguous\":" << status.vms_ambiguous << ",\"refused\":" << status.vms_refused
            << ",\"nics_left\":" << status.nics_left << ",\"foreign_networks\":" << status.foreign_networks
            << ",\"files_open\":" << status.files_open << ",\"passes\":" << status.process_passes
            << ",\"link_dumps\":" << status.link_dumps << ",\"failed_dumps\":" << status.failed_dumps << "}}";
}

}  // namespace
}  // namespace virtmeter

int main() {
  using namespace virtmeter;
  const SystemClock clock;
  const auto reader = KernelReader::of_this_host(clock);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<VmSample> samples;
    std::istringstream vms(line);
    for (std::string vm; std::getline(vms, vm, '\t');) samples.push_back(sample_of(vm));
    reader->begin_cycle();
    std::cout << '{';
    for (VmSample& sample : samples) print_vm(*reader, sample);
    reader->end_cycle();
    print(reader->status());
    std::cout << std::endl;
  }
  return 0;
}
