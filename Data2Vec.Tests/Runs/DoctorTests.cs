using Data2Vec.Kernels;
using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>`data2vec doctor` shows what there is, and what was tried in vain, with the reason.</summary>
public sealed class DoctorTests
{
    [Test]
    public void It_names_devices_instruction_sets_and_libraries()
    {
        var lines = CommandLine.Succeed("doctor").Split('\n');
        string After(string word) => lines.Single(l => l.TrimStart().StartsWith(word + " ", StringComparison.Ordinal))
            .TrimStart()[word.Length..].Trim();
        Assert.That(After("processors"), Is.EqualTo($"{Environment.ProcessorCount}"));
        Assert.That(After("vectors"), Is.EqualTo(Processor.InstructionSets()).And.Not.Empty);
        Assert.That(After("cpu"), Does.Match(@"^cpu \(.+, \d+ threads?\)$"));
        Assert.That(After("reference"), Does.Contain("double precision"));
        Assert.That(After("kernels"), Is.EqualTo($"kept in {KernelCache.Description}").And.Contain("build-"));
        Assert.That(After("cublaslt"), Is.EqualTo(CudaDevices.CublasLtState));
        Assert.That(After("cublaslt"), Does.StartWith("off (DATA2VEC_CUBLASLT=on switches it on); ")
            .And.Match("version [0-9]+$|not found: libcublasLt.so.12: .+; /usr/local/cuda/.+"));
        foreach (var (library, result) in LibraryProbe.Run())
        {
            Assert.That(After(library), Is.EqualTo(result).And.Not.Empty);
            if (result == "found") continue;
            Assert.That(result, Has.Length.LessThan(200).And.Not.Contain("strace"), "the reason alone");
            if (library[0] == '/' && !File.Exists(library)) Assert.That(result, Does.Contain("No such file"));
        }
    }
}
