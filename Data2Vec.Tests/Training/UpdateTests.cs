using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Training;

/// <summary>One update of a store against the formulas, written out here for single numbers.</summary>
public sealed class UpdateTests
{
    private static readonly AdamOptions Options = new(0.9, 0.98, 1e-6);

    private Device device = null!;
    private ParameterStore store = null!;
    private StepState step = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("reference");
        store = new ParameterStore(device, DType.Float64);
        step = new StepState(device);
    }

    [TearDown]
    public void Close()
    {
        step.Dispose();
        store.Dispose();
        device.Dispose();
    }

    [Test]
    public void Rate_and_decay_are_those_of_each_parameter()
    {
        Declare("plain", 1);
        Declare("slow", 1, rate: 0.1);
        Declare("decayed", 1, decay: 0.5);
        Declare("not decayed", 1, decay: 0);
        store.Build(seed: 1, weightDecay: 0.2);
        (step.Values.LearningRate, step.Values.WeightDecayScale) = (0.01, 0.5);
        var expected = new[] { new Adam(1, 0.2), new Adam(0.1, 0.2), new Adam(1, 0.5), new Adam(1, 0) };
        for (var t = 1; t <= 3; t++)
        {
            double[] gradients = [0.3 * t, -2, 1e-3, t];
            for (var i = 0; i < 4; i++) SetGradient(i, gradients[i]);
            Update();
            for (var i = 0; i < 4; i++)
            {
                expected[i].Step(gradients[i], rate: 0.01, decayScale: 0.5);
                Assert.That(Value(i), Is.EqualTo(expected[i].Value).Within(1e-15), $"{store.Parameters[i].Name}, update {t}");
            }
        }
    }

    [Test]
    public void Decay_can_leave_vectors_out()
    {
        Declare("matrix", 2, 2);
        Declare("vector", 2);
        store.Add(new ParameterDeclaration("vector with its own", new Shape(2), Initializers.Ones, WeightDecay: 0.5));
        store.Build(seed: 1, weightDecay: 0.5, decayVectors: false);
        step.Values.LearningRate = 0.1;
        for (var i = 0; i < 3; i++) SetGradient(i, 0, 0);
        Update();
        Assert.That(new[] { Value(0), Value(1), Value(2) }, Is.EqualTo(new[] { 0.95, 1, 0.95 }).Within(1e-15));
    }

    [Test]
    public void The_norm_is_that_of_all_gradients_after_the_division()
    {
        Declare("a", 2);
        Declare("b", 1);
        Declare("without", 1);
        store.Build(seed: 1);
        SetGradient(0, 6, 0);
        SetGradient(1, 8);
        step.Values.GradientDivisor = 4;
        step.Values.MaxGradientNorm = 0.5;
        Update();
        step.Download();
        Assert.That(step.Values.GradientNorm, Is.EqualTo(2.5).Within(1e-15), "|(6, 0, 8)| / 4");
        Assert.That(step.Values.GradientFactor, Is.EqualTo(0.5 / (2.5 + 1e-6) / 4).Within(1e-15));
        step.Values.MaxGradientNorm = 3;
        Update();
        step.Download();
        Assert.That(step.Values.GradientFactor, Is.EqualTo(0.25), "a norm below the limit is not clipped");
    }

    [Test]
    public void A_clipped_update_is_that_of_the_smaller_gradient()
    {
        double Updated(double gradient, double limit)
        {
            using var own = new ParameterStore(device, DType.Float64);
            own.Add(new ParameterDeclaration("a", new Shape(1), Initializers.Ones));
            own.Build(seed: 1);
            using var state = new StepState(device);
            (state.Values.LearningRate, state.Values.MaxGradientNorm) = (0.01, limit);
            // A large first gradient keeps the second moment from hiding the size of the next one.
            foreach (var g in new[] { 1, gradient })
            {
                own.Write(ParameterPart.Gradient, 0, [g]);
                own.MarkGradient(0);
                state.Upload();
                own.ComputeGradientNorm(state);
                own.Update(Options, state);
            }
            return own.Read(ParameterPart.Student, 0)[0];
        }
        var limit = 2 / (1 + 1e-6 / 40);
        Assert.That(Updated(40, limit), Is.EqualTo(Updated(limit * 40 / (40 + 1e-6), 0)).Within(1e-15));
        Assert.That(Updated(40, 0), Is.Not.EqualTo(Updated(40, limit)).Within(1e-6));
    }

    [Test]
    public void A_parameter_counts_its_own_updates()
    {
        Declare("always", 1);
        Declare("at times", 1);
        store.Build(seed: 1);
        step.Values.LearningRate = 0.01;
        var (always, atTimes) = (new Adam(1, 0), new Adam(1, 0));
        for (var t = 0; t < 4; t++)
        {
            store.ClearGradients();
            SetGradient(0, 1);
            always.Step(1, 0.01, 1);
            if (t % 2 == 1)
            {
                SetGradient(1, t);
                atTimes.Step(t, 0.01, 1);
            }
            Update();
        }
        Assert.That(store.ReadStepCounts(), Is.EqualTo(new[] { 4, 2 }));
        Assert.That(new[] { Value(0), Value(1) }, Is.EqualTo(new[] { always.Value, atTimes.Value }).Within(1e-15));
        store.WriteStepCounts([7, 9]);
        SetGradient(1, 1);
        Update();
        Assert.That(store.ReadStepCounts(), Is.EqualTo(new[] { 8, 10 }));
    }

    [Test]
    public void A_gradient_that_is_no_number_stops_everything([Values(double.NaN, double.PositiveInfinity)] double bad)
    {
        store.Add(new ParameterDeclaration("a", new Shape(2), Initializers.Ones, TeacherRule.Averaged));
        store.Build(seed: 1);
        (step.Values.LearningRate, step.Values.EmaDecay) = (0.01, 0.5);
        store.Write(ParameterPart.Teacher, 0, [5, 5]);
        SetGradient(0, 1, bad);
        Update();
        store.UpdateTeacher(step);
        step.Download();
        Assert.That(step.Values.NonFinite, Is.EqualTo(1));
        Assert.That(store.Read(ParameterPart.Student, 0), Is.All.EqualTo(1));
        Assert.That(store.Read(ParameterPart.Teacher, 0), Is.All.EqualTo(5));
        Assert.That(store.Read(ParameterPart.Moment1, 0), Is.All.Zero);
        Assert.That(store.ReadStepCounts(), Is.EqualTo(new[] { 0 }));
        SetGradient(0, 1, 1);
        Update();
        Assert.That(Value(0), Is.Not.EqualTo(1), "the next update goes on");
    }

    [Test]
    public void The_teacher_averages_copies_or_shares()
    {
        foreach (var rule in Enum.GetValues<TeacherRule>())
            store.Add(new ParameterDeclaration($"{rule}", new Shape(3), Initializers.Constant(2), rule));
        store.Build(seed: 1);
        var (shared, averaged, copied) = ((int)TeacherRule.Shared, (int)TeacherRule.Averaged, (int)TeacherRule.Copied);
        Assert.That(Enumerable.Range(0, 3).Select(store.HasTeacherValue), Is.EqualTo(new[] { false, true, true }));
        for (var i = 0; i < 3; i++) store.Write(ParameterPart.Student, i, [10, 20, 30]);
        Assert.That(store.Read(ParameterPart.Teacher, shared), Is.EqualTo(new double[] { 10, 20, 30 }));
        Assert.That(store.Read(ParameterPart.Teacher, averaged), Is.All.EqualTo(2), "a copy of the first values");
        Assert.That(store.Read(ParameterPart.Teacher, copied), Is.All.EqualTo(2));
        step.Values.EmaDecay = 0.75;
        step.Upload();
        store.UpdateTeacher(step);
        Assert.That(store.Read(ParameterPart.Teacher, averaged), Is.EqualTo(new[] { 4, 6.5, 9 }), "0.75 * 2 + 0.25 * student");
        Assert.That(store.Read(ParameterPart.Teacher, copied), Is.EqualTo(new double[] { 10, 20, 30 }));
        store.UpdateTeacher(step);
        Assert.That(store.Read(ParameterPart.Teacher, averaged), Is.EqualTo(new[] { 5.5, 9.875, 14.25 }));
        for (var i = 0; i < 3; i++) Assert.That(store.Read(ParameterPart.Student, i), Is.EqualTo(new double[] { 10, 20, 30 }));
    }

    [Test]
    public void An_update_with_its_teacher_is_the_two_calls_bit_for_bit([Values("cpu", "reference")] string name)
    {
        using var on = Device.Parse(name);
        byte[][] Run(bool together)
        {
            using var own = new ParameterStore(on);
            foreach (var rule in Enum.GetValues<TeacherRule>())
            {
                own.Add(new ParameterDeclaration($"{rule} a", new Shape(1501), Initializers.Normal(1), rule, WeightDecay: 0.01));
                own.Add(new ParameterDeclaration($"{rule} b", new Shape(37), Initializers.Normal(1), rule));
            }
            own.Build(seed: 1);
            using var state = new StepState(on);
            (state.Values.LearningRate, state.Values.EmaDecay) = (0.01, 0.9);
            for (var t = 0; t < 3; t++)
            {
                own.ClearGradients();
                for (var i = t == 1 ? 1 : 0; i < own.Parameters.Count; i++)
                {
                    var numbers = new double[own.Parameters[i].Shape.Count];
                    for (var k = 0; k < numbers.Length; k++) numbers[k] = Math.Sin(k + i + t);
                    own.Write(ParameterPart.Gradient, i, numbers);
                    own.MarkGradient(i);
                }
                state.Upload();
                own.ComputeGradientNorm(state);
                if (together)
                {
                    own.UpdateWithTeacher(Options, state);
                    continue;
                }
                own.Update(Options, state);
                own.UpdateTeacher(state);
            }
            Assert.That(own.ReadStepCounts(), Is.EqualTo(new[] { 2, 3, 3, 3, 3, 3 }));
            return
            [
                .. Enum.GetValues<ParameterPart>().SelectMany(
                    part => Enumerable.Range(0, own.Parameters.Count).Select(i => own.ReadBytes(part, i))),
            ];
        }
        Assert.That(Run(together: true), Is.EqualTo(Run(together: false)));
    }

    private void Declare(string name, int rows, int columns = 0, double rate = 1, double? decay = null) =>
        store.Add(new ParameterDeclaration(name, columns == 0 ? new Shape(rows) : new Shape(rows, columns),
            Initializers.Ones, WeightDecay: decay, LearningRateScale: rate));

    private void SetGradient(int parameter, params double[] values)
    {
        var numbers = new double[store.Parameters[parameter].Shape.Count];
        values.CopyTo(numbers, 0);
        store.Write(ParameterPart.Gradient, parameter, numbers);
        store.MarkGradient(parameter);
    }

    private double Value(int parameter) => store.Read(ParameterPart.Student, parameter)[0];

    private void Update()
    {
        step.Upload();
        store.ComputeGradientNorm(step);
        store.Update(Options, step);
    }

    /// <summary>AdamW for one number that starts at 1. Source: Loshchilov and Hutter 2019, algorithm 2.</summary>
    private sealed class Adam(double rateScale, double decay)
    {
        private double m, v;
        private int count;

        public double Value { get; private set; } = 1;

        public void Step(double gradient, double rate, double decayScale)
        {
            count++;
            m = Options.Beta1 * m + (1 - Options.Beta1) * gradient;
            v = Options.Beta2 * v + (1 - Options.Beta2) * gradient * gradient;
            var first = m / (1 - Math.Pow(Options.Beta1, count));
            var second = v / (1 - Math.Pow(Options.Beta2, count));
            var step = rate * rateScale;
            Value = Value * (1 - step * decay * decayScale) - step * first / (Math.Sqrt(second) + Options.Epsilon);
        }
    }
}
