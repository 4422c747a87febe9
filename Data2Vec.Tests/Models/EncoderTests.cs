using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models;
using NUnit.Framework;

namespace Data2Vec.Tests.Models;

/// <summary>What recorded cases in evaluation mode cannot show: training mode, recomputation, refusals.</summary>
public sealed class EncoderTests
{
    private static VisionEncoderConfig Vision { get; } = new(
        new TransformerConfig(3, 8, 2, 12, Dropout: 0.2, AttentionDropout: 0.1, ActivationDropout: 0.1)
        {
            PreNorm = true, KeyBias = false, LayerScale = 0.3, DropPath = 0.5,
        }, 16, 24, 8)
    {
        Relative = RelativePositions.Both, AbsolutePositions = true,
    };

    private static AudioEncoderConfig Audio { get; } = new(
        new TransformerConfig(4, 8, 2, 12, Dropout: 0.2, AttentionDropout: 0.1) { LayerDrop = 0.5 },
        [new(4, 10, 5), new(6, 3, 2)])
    {
        PositionLayers = 2, PositionKernel = 4, PositionGroups = 2,
    };

    [Test]
    public void Recomputation_changes_a_vision_gradient_only_by_the_order_of_sums_in_the_shared_bias()
    {
        const string shared = "relative_position_bias";
        var (plain, again) = (VisionGradients(recompute: false), VisionGradients(recompute: true));
        Assert.That(again.Keys, Is.EquivalentTo(plain.Keys).And.Contains(shared));
        foreach (var (name, gradient) in plain)
        {
            var largest = gradient.Max(Math.Abs);
            Assert.That(largest, Is.Positive, name);
            Assert.That(again[name], Is.EqualTo(gradient).Within(name == shared ? 1e-14 * largest : 0), name);
        }
    }

    [Test]
    public void Recomputation_changes_no_bit_of_an_audio_gradient() =>
        Assert.That(AudioGradients(recompute: true, step: 3), Is.EqualTo(AudioGradients(recompute: false, step: 3)));

    [Test]
    public void A_skipped_layer_gets_no_gradient_and_the_coin_is_a_function_of_the_step()
    {
        string[] Reached(uint step) => [.. AudioGradients(recompute: false, step).Keys
            .Where(n => n.EndsWith("attention.qkv.weight", StringComparison.Ordinal))];
        var steps = Enumerable.Range(0, 20).Select(s => Reached((uint)s)).ToList();
        Assert.That(steps.Select(r => r.Length).Distinct().Count(), Is.GreaterThan(2));
        Assert.That(steps.Average(r => r.Length), Is.EqualTo(2).Within(0.8), "half of 4 layers");
        Assert.That(Reached(7), Is.EqualTo(steps[7]));
    }

    [Test]
    public void Hidden_states_are_one_a_layer_also_when_layers_are_skipped()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var encoder = new AudioEncoder(store, Audio);
        store.Build(1);
        using var step = new StepState(device);
        using var view = store.Student();
        using var scope = device.Scope();
        var output = encoder.Forward(view, Waveform(device), null, null, new ForwardMode(step, Collect: true));
        Assert.That(output.Hidden, Has.Count.EqualTo(5));
        Assert.That(output.Taps, Has.Count.LessThan(4));
    }

    [TestCase(19, null)]
    [TestCase(60, 19)]
    public void A_clip_too_short_for_a_frame_is_refused(int samples, int? shortest)
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var encoder = new AudioEncoder(store, Audio);
        store.Build(1);
        using var view = store.Student();
        using var scope = device.Scope();
        var waveform = Tensor.Zeros(device, new Shape(2, samples), DType.Float32);
        int[]? lengths = shortest is { } n ? [samples, n] : null;
        Assert.That(() => encoder.Forward(view, waveform, lengths, null, default),
            Throws.ArgumentException.With.Message.Contains("at least 20 samples").And.Message.Contains("19"));
    }

    [Test]
    public void A_mask_without_a_mask_token_is_refused()
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device);
        var vision = new VisionEncoder(store, Vision with { MaskToken = false });
        using var other = new ParameterStore(device);
        var audio = new AudioEncoder(other, Audio with { MaskVector = false });
        store.Build(1);
        other.Build(1);
        using var view = store.Student();
        using var heard = other.Student();
        using var scope = device.Scope();
        Assert.That(() => vision.Forward(view, Pixels(device), new bool[12], default),
            Throws.ArgumentException.With.Message.Contains("mask token"));
        Assert.That(() => audio.Forward(heard, Waveform(device), null, new bool[30], default),
            Throws.ArgumentException.With.Message.Contains("mask vector"));
    }

    private static Dictionary<string, double[]> VisionGradients(bool recompute)
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device, DType.Float64);
        var encoder = new VisionEncoder(store, Vision);
        store.Build(1);
        return Gradients(store, (view, mode) =>
        {
            var pixels = Ops.Cast(Pixels(device), DType.Float64);
            bool[] masked = [.. Enumerable.Range(0, 12).Select(i => i % 3 == 0)];
            return encoder.Forward(view, pixels, masked, mode with { Recompute = recompute }).Last;
        }, step: 3);
    }

    private static Dictionary<string, double[]> AudioGradients(bool recompute, uint step)
    {
        using var device = Device.Parse("reference");
        using var store = new ParameterStore(device, DType.Float64);
        var encoder = new AudioEncoder(store, Audio);
        store.Build(1);
        return Gradients(store, (view, mode) =>
        {
            var waveform = Ops.Cast(Waveform(device), DType.Float64);
            bool[] masked = [.. Enumerable.Range(0, 30).Select(i => i % 4 == 0)];
            return encoder.Forward(view, waveform, [160, 100], masked, mode with { Recompute = recompute }).Last;
        }, step);
    }

    /// <summary>
    /// Gradients of the summed squares of an output, by parameter; those that none reached are left out.
    /// </summary>
    private static Dictionary<string, double[]> Gradients(
        ParameterStore store, Func<ParameterView, ForwardMode, Tensor> forward, uint step)
    {
        using var state = new StepState(store.Device);
        (state.Values.Seed, state.Values.Step) = (5, step);
        state.Upload();
        using var scope = store.Device.Scope();
        using var tape = new Tape(store.Device);
        using var view = store.Student(tape);
        tape.Backward(Ops.Sum(Ops.Square(forward(view, new ForwardMode(state)))));
        return Enumerable.Range(0, store.Parameters.Count).Where(store.HasGradient)
            .ToDictionary(i => store.Parameters[i].Name, i => store.Read(ParameterPart.Gradient, i));
    }

    private static Tensor Pixels(Device device) => Drawn(device, new Shape(2, 16, 24, 3));

    private static Tensor Waveform(Device device) => Drawn(device, new Shape(2, 160));

    private static Tensor Drawn(Device device, Shape shape)
    {
        var values = new float[shape.Count];
        Philox.FillNormal(new RandomKey(9, 0, 0, 0), values);
        return Tensor.From<float>(device, values, shape);
    }
}
