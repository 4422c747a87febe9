using Data2Vec.Bench.Conformance;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Conformance;

/// <summary>A recorded value that is not what the engine computes makes its case fail, and only its case.</summary>
public sealed class WrongValueTests
{
    [TestCase("own/gelu.safetensors", "none_random/out", "gelu/none_random", "out")]
    [TestCase("own/gelu.safetensors", "none_random/grad.input", "gelu/none_random", "grad.input")]
    [TestCase("opinfo/matmul.safetensors", "02/grad.other", "matmul/02", "grad.other")]
    [TestCase("own/conv1d.safetensors", "k3_s2/grad.weight", "conv1d/k3_s2", "grad.weight")]
    [TestCase("own/ctc_loss.safetensors", "repeats/grad.logits", "ctc_loss/repeats", "grad.logits")]
    [TestCase("own/reduction.safetensors", "sum_nan/out", "reduction/sum_nan", "out")]
    public void A_changed_tensor_fails_its_case(string file, string tensor, string failing, string name)
    {
        using var folder = new CopiedSuite("ops");
        folder.Change(file, tensor);
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain(failing + ": " + name));
        Assert.That(output, Does.Contain("ops: ").And.Contain(" 1 failed"));
    }

    [TestCase("run/fairseq-adam/p1", "trajectory/fairseq-adam")]
    [TestCase("run/adamw-missing-gradients/exp_avg_sq3", "trajectory/adamw-missing-gradients")]
    [TestCase("clip/above/torch_out0", "clipping/above/torch")]
    [TestCase("grad_scaler/growth-backoff/p", "grad_scaler_torch/growth-backoff")]
    [TestCase("half/fp16-scaled/master1", "half_precision/fp16-scaled")]
    [TestCase("ema/fp16-fp32-store/store.skipped", "ema/fp16-fp32-store")]
    public void A_changed_trajectory_fails(string tensor, string failing)
    {
        using var folder = new CopiedSuite("optim");
        folder.Change("optim.safetensors", tensor);
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("FAIL optim/" + failing));
    }

    [TestCase("f64/0/0/target", "released-like/bert-all-selected")]
    [TestCase("f64/1/teacher/encoder.sentence_encoder.layers.3.fc2.weight", "released-like/bert-all-selected")]
    [TestCase("f64/0/grad/encoder.sentence_encoder.embed_tokens.weight", "released-like/bert-all-selected")]
    public void A_changed_pretraining_run_fails(string tensor, string failing)
    {
        using var folder = new CopiedSuite("pretrain-text");
        folder.Change("bert-all-selected.safetensors", tensor);
        var (code, output) = Run(folder.Path, "bert-all-selected");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain($"FAIL pretrain-text/{failing}: {tensor}"));
    }

    [TestCase("pretrain-audio", "instance-norm-targets-quirk.safetensors", "f64/0/0/target",
        "upstream-quirk/instance-norm-targets-quirk")]
    [TestCase("pretrain-audio", "instance-norm-targets-quirk.safetensors", "f64/0/grad/encoder.pos_conv.4.0.weight",
        "upstream-quirk/instance-norm-targets-quirk")]
    [TestCase("pretrain-vision", "variant-hinge-scale.float64.safetensors", "step1/teacher.patch_embed.proj.weight",
        "pretrain/variant-hinge-scale")]
    [TestCase("pretrain-vision", "variant-hinge-scale.float64.safetensors", "step1/norm1.in",
        "pretrain/variant-hinge-scale")]
    [TestCase("pretrain-vision", "ft-cls-token.float64.safetensors", "batch2/logits", "finetune/ft-cls-token")]
    [TestCase("pretrain-vision", "ft-cls-token.float64.safetensors", "step2/weight.norm.bias", "finetune/ft-cls-token")]
    [TestCase("pretrain-vision", "ft-cls-token.float64.safetensors", "step1/grad.cls_token", "finetune/ft-cls-token")]
    public void A_changed_run_of_speech_or_vision_fails(string suite, string file, string tensor, string failing)
    {
        using var folder = new CopiedSuite(suite);
        folder.Change(file, tensor);
        var (code, output) = Run(folder.Path, failing);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain($"FAIL {suite}/{failing}: {tensor}"));
    }

    [TestCase("exact.json", "\"mask\":[\"1", "\"mask\":[\"0", "spans/one row, overlapping spans: mask")]
    [TestCase("exact.json", "\"range\":39", "\"range\":40", "3 of 39 entries was asked for")]
    [TestCase("exact.json", "\"spans\":1,", "\"spans\":2,", "span_counts/0: spans")]
    [TestCase("statistics.json", "\"share_batches_with_equal_counts\":[1.0", "\"share_batches_with_equal_counts\":[0.9",
        "share_batches_with_equal_counts: 1 +- 0, listed 0.9 +- 0")]
    public void A_changed_mask_fails(string file, string from, string to, string message)
    {
        using var folder = new CopiedSuite("masks");
        var path = System.IO.Path.Combine(folder.Path, file);
        var text = File.ReadAllText(path);
        var at = text.IndexOf(from, StringComparison.Ordinal);
        Assert.That(at, Is.Not.Negative);
        File.WriteAllText(path, text.Remove(at, from.Length).Insert(at, to));
        var (code, output) = Run(folder.Path, file == "exact.json" ? "spa" : "audio-T49-B12-same");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("FAIL masks/").And.Contain(message));
    }

    [TestCase("f64.hidden_states.2", "Data2VecTextModel/text_pads_unmasked")]
    [TestCase("f64.grad.encoder.layer.1.attention.self.value.weight", "Data2VecTextModel/text_pads_unmasked")]
    [TestCase("f64.loss", "Data2VecAudioForCTC/audio_ctc_mean_zero_infinity")]
    [TestCase("f64.pos_conv", "Data2VecAudioForCTC/audio_ctc_mean_zero_infinity")]
    [TestCase("f64.grad.input.input_values", "Data2VecAudioForCTC/audio_ctc_mean_zero_infinity")]
    [TestCase("f64.relative_position_bias", "Data2VecVisionModel/vision_odd_pixels")]
    [TestCase("f64.grad.encoder.relative_position_bias.relative_position_bias_table",
        "Data2VecVisionModel/vision_odd_pixels")]
    public void A_changed_model_fails(string tensor, string failing)
    {
        using var folder = new CopiedSuite("models");
        folder.Change($"cases/{failing.Split('/')[1]}/expected.safetensors", tensor);
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain($"FAIL models/{failing}: {tensor}").And.Contain(" 1 failed"));
    }

    [Test]
    public void A_tensor_that_is_recorded_and_not_computed_fails()
    {
        using var folder = new CopiedSuite("models");
        folder.Rename("cases/vision_odd_pixels/expected.safetensors", "f64.ffn.1", "f64.ffn.9");
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("vision_odd_pixels: f64.ffn.9: is not computed"));
    }

    [Test]
    public void A_gradient_that_is_not_recorded_fails()
    {
        using var folder = new CopiedSuite("models");
        folder.Rename(
            "cases/vision_odd_pixels/expected.safetensors", "f64.grad.layernorm.weight", "x64.grad.layernorm.weight");
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("layernorm.weight: has a gradient, though none is recorded"));
    }

    [TestCase("features.safetensors", "psf_mfcc_8k.y", "features/psf_mfcc_8k: y")]
    [TestCase("features.safetensors", "hubert_mfcc.deltas", "features/hubert_mfcc: deltas")]
    [TestCase("extractor.safetensors", "pad_longest_no_mask.values1", "extractor/pad_longest_no_mask: values1")]
    [TestCase("wav.safetensors", "wav.f64_stereo", "wav/f64_stereo: samples")]
    public void A_changed_sound_fails(string file, string tensor, string failing)
    {
        using var folder = new CopiedSuite("audio");
        folder.Change(file, tensor);
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("FAIL audio/" + failing).And.Contain(" 1 failed"));
    }

    [Test]
    public void A_damaged_sound_that_is_accepted_fails_and_so_does_a_good_one_that_is_not()
    {
        using var folder = new CopiedSuite("audio");
        string File(string name) => System.IO.Path.Combine(folder.Path, name);
        System.IO.File.Copy(File("flac/own_fixed2.flac"), File("broken/bad_sync.flac"), overwrite: true);
        System.IO.File.Copy(File("broken/bad_marker.flac"), File("flac/own_fixed2.flac"), overwrite: true);
        var (code, output) = Run(folder.Path, "flac");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("FAIL audio/flac_broken/bad_sync: refusal: accepted, but flac says: error"));
        Assert.That(output, Does.Contain("FAIL audio/flac/own_fixed2: InvalidDataException"));
        Assert.That(output, Does.Contain(" 2 failed"));
    }

    [Test]
    public void A_call_that_must_be_refused_fails_when_it_is_accepted()
    {
        using var folder = new CopiedSuite("ops");
        File.WriteAllText(System.IO.Path.Combine(folder.Path, "errors.json"), """
            {"suite": "ops", "errors": [{"op": "add", "tensors": {"input": {"shape": [3], "dtype": "float64"},
            "other": {"shape": [3], "dtype": "float64"}}, "kwargs": {}, "message": "shapes differ"}]}
            """);
        var (code, output) = Run(folder.Path, "torch.add/refused");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("torch.add/refused/1: refusal: accepted").And.Contain("shapes differ"));
    }

    [Test]
    public void An_argument_that_is_not_expressed_is_skipped_by_name()
    {
        using var folder = new CopiedSuite("ops");
        var manifest = System.IO.Path.Combine(folder.Path, "manifest.json");
        var text = File.ReadAllText(manifest);
        Assert.That(text, Does.Contain("\"case\": \"neg/02\""));
        var item = text.IndexOf("\"case\": \"neg/02\"", StringComparison.Ordinal);
        var arguments = text.IndexOf("\"kwargs\": {}", item, StringComparison.Ordinal);
        File.WriteAllText(manifest, text.Insert(arguments + "\"kwargs\": {".Length, "\"twice\": 1"));
        var (_, output) = Run(folder.Path, "torch.neg/02");
        Assert.That(output, Does.Contain("the argument twice is not expressed"));
    }

    [Test]
    public void A_folder_without_suites_is_wrong_use_and_a_filter_that_matches_nothing_fails()
    {
        using var empty = new TemporaryFolder();
        Assert.That(Run(empty.Path, null).Code, Is.EqualTo(2));
        var (code, output) = Run(System.IO.Path.Combine(Fixtures.CopiedRoot, "numerics"), "no such case");
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output.TrimEnd(), Does.EndWith("ops 0 cases 0 failed 0 skipped 0"));
    }

    [Test]
    public void A_broken_manifest_and_an_unknown_suite_are_reported()
    {
        using var folder = new TemporaryFolder();
        var broken = Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "ops")).FullName;
        File.WriteAllText(System.IO.Path.Combine(broken, "manifest.json"), "{\"suite\": \"ops\", \"cases\": [{}]}");
        var unknown = Directory.CreateDirectory(System.IO.Path.Combine(folder.Path, "later")).FullName;
        File.WriteAllText(System.IO.Path.Combine(unknown, "manifest.json"),
            "{\"suite\": \"later\", \"cases\": [{\"name\": \"one\"}]}");
        var (code, output) = Run(folder.Path, null);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("not in this version: later/one"));
        Assert.That(output, Does.Contain("FAIL ops/manifest/readable"));
    }

    [Test]
    public void Every_case_is_written_to_the_file()
    {
        using var folder = new TemporaryFolder();
        var file = System.IO.Path.Combine(folder.Path, "cases.json");
        using var device = Device.Parse("reference");
        var code = ConformanceSuites.Run(
            System.IO.Path.Combine(Fixtures.CopiedRoot, "numerics"), null, device, TextWriter.Null, file);
        Assert.That(code, Is.Zero);
        using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllText(file));
        var cases = json.RootElement.GetProperty("suites")[0].GetProperty("cases");
        Assert.That(cases.GetArrayLength(), Is.EqualTo(5));
        Assert.That(cases[0].GetProperty("Outcome").GetString(), Is.EqualTo("Passed"));
    }

    private static (int Code, string Output) Run(string folder, string? filter)
    {
        using var device = Device.Parse("reference");
        var output = new StringWriter();
        var code = ConformanceSuites.Run(folder, filter, device, output);
        return (code, output.ToString());
    }

    /// <summary>A writable copy of a suite.</summary>
    private sealed class CopiedSuite : IDisposable
    {
        private readonly TemporaryFolder folder = new();

        public CopiedSuite(string suite)
        {
            Path = System.IO.Path.Combine(folder.Path, suite);
            var source = System.IO.Path.Combine(Fixtures.CopiedRoot, suite);
            foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            {
                var target = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(source, file));
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }

        public string Path { get; }

        /// <summary>Adds a thousandth of the largest entry to the last finite element (1 where that is 0).</summary>
        public void Change(string file, string tensor)
        {
            var path = System.IO.Path.Combine(Path, file);
            var bytes = File.ReadAllBytes(path);
            double[] values;
            bool wide;
            long begin;
            using (var reader = SafetensorsFile.Open(path))
            {
                values = reader.ReadDoubles(tensor);
                wide = reader[tensor].Type == SafetensorsType.F64;
                begin = 8 + BitConverter.ToInt64(bytes) + reader[tensor].Begin;
            }
            var size = wide ? 8 : 4;
            var index = Array.FindLastIndex(values, double.IsFinite);
            var largest = values.Where(double.IsFinite).Max(Math.Abs);
            var changed = values[index] + (largest == 0 ? 1 : 1e-3 * largest);
            var replacement = wide ? BitConverter.GetBytes(changed) : BitConverter.GetBytes((float)changed);
            replacement.CopyTo(bytes, begin + index * size);
            File.WriteAllBytes(path, bytes);
        }

        /// <summary>Gives a tensor a name of the same length.</summary>
        public void Rename(string file, string tensor, string name)
        {
            var path = System.IO.Path.Combine(Path, file);
            var bytes = File.ReadAllBytes(path);
            var at = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes($"\"{tensor}\""));
            Assert.That(at, Is.Positive);
            System.Text.Encoding.UTF8.GetBytes(name).CopyTo(bytes, at + 1);
            File.WriteAllBytes(path, bytes);
        }

        public void Dispose() => folder.Dispose();
    }
}
