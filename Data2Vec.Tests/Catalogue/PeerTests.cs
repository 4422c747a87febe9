using System.Text.Json;
using System.Text.Json.Nodes;
using Data2Vec.Bench;
using Data2Vec.Bench.Running;
using Data2Vec.Bench.SideBySide;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Catalogue;

/// <summary>
/// Timing beside a peer: what is asked of its script, what is made of its answer, and what is said when there is none. The
/// script itself needs PyTorch and is not run here: a small shell script takes its place.
/// </summary>
public sealed class PeerTests
{
    private static readonly Bounds Host = new(1);

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void The_script_lies_beside_the_program() => Assert.That(
        Directory.GetFiles(Path.GetDirectoryName(PeerProcess.Script)!).Select(Path.GetFileName),
        Is.SupersetOf(new[] { "pytorch_peer.py", "pytorch_models.py" }));

    [Test]
    public void Every_operation_asked_for_is_one_that_the_script_has([Values] bool tiny)
    {
        var script = File.ReadAllText(PeerProcess.Script);
        var cases = new PeerCases(tiny).All().ToArray();
        foreach (var op in cases.Select(c => c.Op).Distinct())
            Assert.That(script, Does.Contain($"def {op}(options)").Or.Contain($"\"{op}\": time_"), op);
        Assert.That(cases.Select(c => c.Op).Distinct(), Is.EquivalentTo(new[]
        {
            "matmul", "linear", "attention", "layer_norm", "smooth_l1", "ctc", "cross_entropy", "adamw_ema", "conv1d",
            "conv1d_layer_norm", "feed_forward", "step",
        }));
        Assert.That(cases.Select(c => c.Id), Is.Unique);
    }

    [Test]
    public void Whole_sizes_are_those_of_the_base_models()
    {
        var cases = new PeerCases(tiny: false).All().ToDictionary(c => c.Id, c => c.Request(DType.BFloat16));
        Assert.That(cases["linear/text fc1 with GELU, 8192 x 768 to 3072"]["shapes"]!.ToJsonString(),
            Is.EqualTo("""{"x":[8192,768],"w":[3072,768],"b":[3072]}"""));
        Assert.That(cases["attention/vision, bias and its gradient, 128 x 12 x 197 x 64"]["shapes"]!["bias"]!.ToJsonString(),
            Is.EqualTo("[12,197,197]"));
        // The peer has channels before time.
        Assert.That(cases["conv1d/audio positions, 12 x 999 x 768"]["shapes"]!.ToJsonString(),
            Is.EqualTo("""{"x":[12,768,999],"w":[768,48,19]}"""));
        var step = cases["step/audio/12x320000 samples"]["options"]!;
        Assert.That(((int)step["time"]!, (int)step["masked"]!, (int)step["layers"]!), Is.EqualTo((999, 489, 12)));
        Assert.That(step["features"]!.AsArray(), Has.Count.EqualTo(7));
        var parameters = cases.Single(c => c.Key.StartsWith("adamw_ema/", StringComparison.Ordinal)).Value;
        Assert.That(parameters["options"]!["lengths"]!.AsArray().Sum(n => (int)n!), Is.EqualTo(12 * 7_078_656));
    }

    [Test]
    public void Every_tiny_case_runs_with_us()
    {
        using var device = BenchDevice.Open("cpu", 1);
        foreach (var c in new PeerCases(tiny: true).All().OfType<PeerOperation>())
        {
            foreach (var type in c.Types)
            {
                using var run = new CaseRun(c.Case, device, type);
                run.LaunchForward();
                if (run.HasBackward) run.LaunchForwardAndBackward();
                Assert.That(c.Request(type)["passes"]!.AsArray(), Has.Count.EqualTo(run.HasBackward ? 2 : 1), c.IdOf(type));
            }
        }
        Assert.That(device.OutstandingBuffers, Is.Zero);
    }

    [Test]
    public void The_answer_stands_beside_our_line_with_ratio_and_floor()
    {
        var table = new PeerTable(PeerAnswer.Read(Recorded("""
            [{"id":"linear/a float32","pass":"forward","variants":[
              {"variant":"eager","min_seconds":0.004,"median_seconds":0.005,"runs":9},
              {"variant":"compile","min_seconds":0.003,"median_seconds":0.006,"runs":8},
              {"variant":"other","error":"RuntimeError: no such thing"}]},
             {"id":"linear/b float32","pass":"forward","variants":[{"variant":"eager","error":"RuntimeError: too large"}]}]
            """), "test"), Host);
        var ours = new Row("linear", "a float32", Status.Passed)
        {
            Pass = "forward", MinSeconds = 0.002, MedianSeconds = 0.002, Bytes = 1000, Flops = 5e12,
        };
        var row = table.Merge(ours, "linear/a float32", DType.Float32);
        Assert.That((row.PeerVariant, row.PeerSeconds, row.Ratio), Is.EqualTo(("compile", 0.003, 1.5)));
        Assert.That(row.PeerVariants, Has.Count.EqualTo(3));
        // 5e12 operations at 1e16 a second; the copy of 1000 bytes takes less.
        Assert.That(row.FloorSeconds, Is.EqualTo(5e-4).Within(1e-12));
        Assert.That(row.ShareOfFloor, Is.EqualTo(25).Within(1e-9));
        var bound = table.Merge(ours with { Flops = 0, Bytes = 4_000_000_000_000 }, "linear/a float32", DType.Float32);
        Assert.That(bound.FloorSeconds, Is.EqualTo(4e12 / 1e15).Within(1e-12), "bytes over the peer's copy of a million GB/s");
        var half = table.Merge(ours, "linear/a float32", DType.BFloat16);
        Assert.That(half.FloorSeconds, Is.EqualTo(2.5e-4).Within(1e-12));

        Assert.That(table.Merge(ours, "linear/b float32", DType.Float32).Reason, Is.EqualTo("no peer: RuntimeError: too large"));
        Assert.That(table.Merge(ours, "linear/c float32", DType.Float32).Reason, Is.EqualTo("no peer: it was not timed"));
        Assert.That(table.ToString(), Does.Contain("floor: copies 1000000 GB/s, 10000000 GFLOP/s float32, 20000000 GFLOP/s bfloat16"));
    }

    [Test]
    public void The_command_asks_the_script_and_prints_one_table()
    {
        const string Case = "layer_norm/text, 32 x 64 float32";
        var results = Recorded($$"""
            [{"id":"{{Case}}","pass":"forward","variants":[{"variant":"eager","min_seconds":1,"median_seconds":2,"runs":5}]},
             {"id":"{{Case}}","pass":"forward+backward","variants":[{"variant":"compile","min_seconds":3,"median_seconds":4,"runs":5}]}]
            """);
        var kept = Path.Combine(folder.Path, "asked.json");
        var fake = Fake($"cp \"$2\" '{kept}'; echo working >&2; cp '{Write("results.json", results)}' \"$3\"");
        var json = Path.Combine(folder.Path, "rows.json");
        var (code, output, errors) = Run(
            "time", "layer_norm/text, 32", "--peer", "pytorch", "--peer-python", fake, "--dtype", "float32", "--threads", "1", "--json", json);
        Assert.That(code, Is.Zero, output + errors);
        Assert.That(output, Does.Contain("peer: working").And.Contain("peer: PyTorch 9.9 on a recording"));
        Assert.That(output, Does.Match(@"ok   layer_norm/text, 32 x 64 float32 +forward +min .* peer +1.00 s  \(eager\), ratio [\d.]+, floor .* is [\d.]+ % of ours"));
        Assert.That(output, Does.Match(@"forward\+backward min .* peer +3.00 s  \(compile\)"));
        using var asked = JsonDocument.Parse(File.ReadAllText(kept));
        Assert.That(asked.RootElement.GetProperty("device").GetString(), Is.EqualTo("cpu"));
        var only = asked.RootElement.GetProperty("cases").EnumerateArray().Single();
        Assert.That(only.GetProperty("id").GetString(), Is.EqualTo(Case));
        using var rows = JsonDocument.Parse(File.ReadAllText(json));
        var row = rows.RootElement.GetProperty("rows")[0];
        Assert.That(row.GetProperty("ratio").GetDouble(),
            Is.EqualTo(1 / row.GetProperty("min_seconds").GetDouble()).Within(1).Percent);
        Assert.That(row.GetProperty("peer_variants")[0].GetProperty("variant").GetString(), Is.EqualTo("eager"));
    }

    [TestCase("echo 'it (Python 3) cannot import torch: No module named torch' >&2; exit 3",
        "PyTorch was not timed: it (Python 3) cannot import torch: No module named torch; tried `")]
    [TestCase("exit 9", "PyTorch was not timed: no word of why (exit code 9); tried `")]
    [TestCase("exit 0", "wrote no results")]
    [TestCase("echo '{' > \"$3\"", "is no answer of a peer")]
    [TestCase("echo '{\"version\":1}' > \"$3\"", "is no answer of a peer")]
    [TestCase("echo '{\"version\":2,\"peer\":\"p\",\"device\":\"d\",\"bounds\":{\"copy_gigabytes\":1,\"gigaflops\":{}},\"results\":[]}' > \"$3\"",
        "speaks version 2 of the protocol; expected 1")]
    public void What_is_no_peer_is_told_in_a_sentence(string shell, string sentence)
    {
        var (code, output, errors) = Run("time", "matmul", "--peer", "pytorch", "--peer-python", Fake(shell));
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.Contain(sentence));
        Assert.That(errors.Trim().Split('\n'), Has.Length.EqualTo(1));
        Assert.That(output.TrimEnd().Split('\n')[^1], Is.EqualTo("ops 0 cases 0 failed 0 skipped 0"));
    }

    [Test]
    public void An_interpreter_that_is_not_there_is_told()
    {
        var (code, _, errors) = Run("time", "matmul", "--peer", "pytorch", "--peer-python", "/no/such/python");
        Assert.That(code, Is.EqualTo(2));
        Assert.That(errors, Does.Contain("the interpreter /no/such/python cannot be started").And.Contain("--peer-python"));
    }

    [Test]
    public void Another_peer_or_no_case_is_wrong_use()
    {
        Assert.That(Run("time", "--peer", "abacus").Code, Is.EqualTo(2));
        var (code, output, _) = Run("time", "no-such-case", "--peer", "pytorch", "--peer-python", "/no/such/python");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("No case matches"));
    }

    private static string Recorded(string results) =>
        new JsonObject
        {
            ["version"] = 1, ["peer"] = "PyTorch 9.9", ["device"] = "a recording",
            ["bounds"] = new JsonObject
            {
                ["copy_gigabytes"] = 1e6, ["gigaflops"] = new JsonObject { ["float32"] = 1e7, ["bfloat16"] = 2e7 },
            },
            ["results"] = JsonNode.Parse(results),
        }.ToJsonString();

    private string Write(string name, string text)
    {
        var file = Path.Combine(folder.Path, name);
        File.WriteAllText(file, text);
        return file;
    }

    /// <summary>An interpreter that gets script, cases and results as $1, $2 and $3.</summary>
    private string Fake(string shell)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("the stand-in is a shell script");
            return "";
        }
        var file = Write("python", "#!/bin/sh\n" + shell + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }

    private static (int Code, string Output, string Errors) Run(params string[] arguments)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        return (BenchCommand.Run(arguments, output, errors), output.ToString(), errors.ToString());
    }
}
