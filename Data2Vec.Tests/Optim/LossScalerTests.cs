using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Optim;

/// <summary>Edges of the loss scalers; recorded runs are in the conformance suite `optim`.</summary>
public sealed class LossScalerTests
{
    [Test]
    public void Fairseq_grows_after_a_window_of_clean_attempts_and_again_after_each_further_one()
    {
        var s = new FairseqLossScaler(4, window: 3);
        Assert.That(Run(s, "..." + "..." + ".."), Is.EqualTo(new double[] { 4, 4, 8, 8, 8, 16, 16, 16 }));
    }

    [Test]
    public void Fairseq_halves_at_an_overflow_and_counts_the_window_from_there()
    {
        var s = new FairseqLossScaler(4, window: 3);
        Assert.That(Run(s, "..!" + "..." + "!"), Is.EqualTo(new double[] { 4, 4, 2, 2, 2, 4, 2 }));
    }

    [Test]
    public void Fairseq_bears_a_share_of_overflows()
    {
        var s = new FairseqLossScaler(4, window: 100, tolerance: 0.5);
        // One of three, then two of four.
        Assert.That(Run(s, "..!!"), Is.EqualTo(new double[] { 4, 4, 4, 2 }));
    }

    [Test]
    public void Fairseq_stays_above_its_threshold_and_stops_at_its_minimum()
    {
        Assert.That(Run(new FairseqLossScaler(4, threshold: 2), "!!!"), Is.EqualTo(new double[] { 2, 2, 2 }));
        var s = new FairseqLossScaler(4, minimum: 1);
        Assert.That(Run(s, "!"), Is.EqualTo(new double[] { 2 }));
        var e = Assert.Throws<ArithmeticException>(() => s.Update(finite: false));
        Assert.That(e!.Message, Does.Contain("minimum of 1"));
        Assert.That(s.Scale, Is.EqualTo(2));
    }

    [Test]
    public void Torch_grows_after_an_interval_and_never_to_infinity()
    {
        var s = new TorchLossScaler(4, interval: 2);
        Assert.That(Run(s, "...!..."), Is.EqualTo(new double[] { 4, 8, 8, 4, 4, 8, 8 }));
        var large = new TorchLossScaler(Math.Pow(2, 127), interval: 1);
        Assert.That(Run(large, ".!"), Is.EqualTo(new[] { Math.Pow(2, 127), Math.Pow(2, 126) }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_restored_scaler_goes_on_as_if_nothing_had_happened(bool torch)
    {
        ILossScaler Make() => torch
            ? new TorchLossScaler(64, interval: 3) : new FairseqLossScaler(64, window: 3, tolerance: 0.4);
        const string before = "..!....!!.", after = "..!!....!......";
        var (whole, first, second) = (Make(), Make(), Make());
        Run(whole, before);
        Run(first, before);
        second.Load(first.Save());
        Assert.That(Run(second, after), Is.EqualTo(Run(whole, after)));
        Assert.Throws<ArgumentException>(() => second.Load([1, 2, 3]));
    }

    /// <summary>
    /// An overflow skips the update and only the scale moves; the clean attempt after it is the unscaled update.
    /// </summary>
    [Test]
    public void A_scaled_step_is_the_unscaled_one_and_an_overflow_changes_nothing()
    {
        using var device = Device.Parse("reference");
        double[] Train(bool scaled)
        {
            using var store = new ParameterStore(device);
            var w = new ParameterScope(store, "").Add("w", new Shape(3), Initializers.Normal(1));
            store.Build(seed: 3);
            using var step = new StepState(device);
            step.Values.LearningRate = 0.1;
            step.Values.MaxGradientNorm = 1;
            ILossScaler scaler = new FairseqLossScaler(128);
            foreach (var overflow in scaled ? new[] { false, true, false } : [false, false])
            {
                using var scope = device.Scope();
                using var tape = new Tape(device);
                using var view = store.Student(tape);
                var scale = scaled ? scaler.Scale : 1;
                var loss = Ops.Sum(Ops.Square(view[w]));
                store.ClearGradients();
                tape.Backward(Ops.Affine(loss, overflow ? double.PositiveInfinity : scale));
                step.Values.GradientDivisor = scale;
                step.Upload();
                store.ComputeGradientNorm(step);
                store.Update(new AdamOptions(), step);
                step.Download();
                if (scaled) scaler.Update(step.Values.NonFinite == 0);
            }
            Assert.That(scaler.Scale, Is.EqualTo(scaled ? 64 : 128));
            return store.Read(ParameterPart.Student, w);
        }
        Assert.That(Train(scaled: true), Is.EqualTo(Train(scaled: false)));
    }

    /// <summary>The scale after every attempt: '.' is clean, '!' an overflow.</summary>
    private static double[] Run(ILossScaler scaler, string attempts)
    {
        var scales = new double[attempts.Length];
        for (var i = 0; i < scales.Length; i++)
        {
            scaler.Update(attempts[i] == '.');
            scales[i] = scaler.Scale;
        }
        return scales;
    }
}
