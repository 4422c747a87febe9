using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Modules;

/// <summary>Declaration, first values and places of parameters in the flat buffers.</summary>
public sealed class ParameterStoreTests
{
    private Device device = null!;
    private ParameterStore store = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Parse("cpu", 1);
        store = new ParameterStore(device);
    }

    [TearDown]
    public void Close()
    {
        store.Dispose();
        device.Dispose();
    }

    [Test]
    public void Every_parameter_has_its_own_aligned_place_in_each_buffer()
    {
        foreach (var n in new[] { 3, 16, 1, 35, 17 }) Declare($"p{n}", new Shape(n), TeacherRule.Averaged);
        Declare("none", new Shape(0));
        Declare("scalar", new Shape());
        store.Build(seed: 1);
        foreach (var part in Enum.GetValues<ParameterPart>())
        {
            for (var i = 0; i < store.Parameters.Count; i++)
            {
                Assert.That(store.PlaceOf(part, i).Offset % 16, Is.Zero, "vector loads are aligned");
                store.Write(part, i, Enumerable.Repeat(10.0 * (int)part + i, (int)store.Parameters[i].Shape.Count).ToArray());
            }
        }
        foreach (var part in Enum.GetValues<ParameterPart>())
        {
            for (var i = 0; i < store.Parameters.Count; i++)
            {
                // What the teacher shares is the student's, whoever wrote last.
                var owner = part == ParameterPart.Student && !store.HasTeacherValue(i) ? ParameterPart.Teacher : part;
                Assert.That(store.Read(part, i), Is.All.EqualTo(10.0 * (int)owner + i), $"{part} of {store.Parameters[i].Name}");
            }
        }
        Assert.That(store.Count, Is.EqualTo(3 + 16 + 1 + 35 + 17 + 0 + 1));
    }

    [Test]
    public void Names_are_unique_and_looked_up()
    {
        var scope = new ParameterScope(store, "model").Sub("layer.0");
        Assert.That(scope.Add("weight", new Shape(2), Initializers.Ones), Is.Zero);
        Assert.That(store.NumberOf("model.layer.0.weight"), Is.Zero);
        Assert.That(() => scope.Add("weight", new Shape(2), Initializers.Ones),
            Throws.ArgumentException.With.Message.EqualTo("A parameter named model.layer.0.weight is declared already."));
        Assert.That(() => store.NumberOf("model.layer.0.wait"),
            Throws.TypeOf<KeyNotFoundException>().With.Message.EqualTo("The model has no parameter named model.layer.0.wait."));
    }

    [Test]
    public void A_store_is_built_once()
    {
        Declare("a", new Shape(2));
        store.Build(seed: 1);
        Assert.That(() => Declare("b", new Shape(2)), Throws.InvalidOperationException.With.Message.Contains("after Build"));
        Assert.That(() => store.Build(seed: 1), Throws.InvalidOperationException.With.Message.Contains("built already"));
    }

    [Test]
    public void First_values_depend_on_seed_and_number_alone()
    {
        double[][] Values(ulong seed, int parameters)
        {
            using var other = new ParameterStore(device);
            for (var i = 0; i < parameters; i++)
                other.Add(new ParameterDeclaration($"p{i}", new Shape(50), Initializers.Normal(1)));
            other.Build(seed);
            return [.. Enumerable.Range(0, parameters).Select(i => other.Read(ParameterPart.Student, i))];
        }
        var values = Values(1, 3);
        Assert.That(Values(1, 5)[..3], Is.EqualTo(values));
        Assert.That(Values(2, 3)[0], Is.Not.EqualTo(values[0]));
        Assert.That(values[1], Is.Not.EqualTo(values[0]));
    }

    [Test]
    public void A_model_that_only_runs_forward_has_no_gradients_and_moments()
    {
        Declare("a", new Shape(4));
        store.Build(seed: 1);
        Assert.That(device.OutstandingBuffers, Is.EqualTo(3), "values, the teacher's, the table");
        using var step = new StepState(device);
        store.ComputeGradientNorm(step);
        store.Update(new AdamOptions(), step);
        Assert.That(device.OutstandingBuffers, Is.EqualTo(3 + 1 + 3), "the step, gradients, two moments");
    }

    [Test]
    public void Bytes_and_numbers_are_the_same_values()
    {
        var a = Declare("a", new Shape(2, 3));
        store.Build(seed: 1);
        store.Write(ParameterPart.Moment1, a, [0, 1, 2, 3, 4, 0.1]);
        var bytes = store.ReadBytes(ParameterPart.Moment1, a);
        Assert.That(bytes, Has.Length.EqualTo(24));
        store.WriteBytes(ParameterPart.Moment2, a, bytes);
        Assert.That(store.Read(ParameterPart.Moment2, a), Is.EqualTo(new[] { 0, 1, 2, 3, 4, (double)0.1f }));
        Assert.That(() => store.Write(ParameterPart.Student, a, new double[5]),
            Throws.ArgumentException.With.Message.EqualTo("a has 6 elements; got 5."));
        Assert.That(() => store.WriteBytes(ParameterPart.Student, a, new byte[20]),
            Throws.ArgumentException.With.Message.EqualTo("a has 24 bytes; got 20."));
        Assert.That(() => store.WriteStepCounts([1, 2]),
            Throws.ArgumentException.With.Message.EqualTo("ParameterStore: 1 parameters have as many step counts; got 2."));
    }

    [Test]
    public void The_views_read_student_and_teacher()
    {
        var averaged = Declare("averaged", new Shape(2), TeacherRule.Averaged);
        var shared = Declare("shared", new Shape(2));
        store.Build(seed: 1);
        store.Write(ParameterPart.Student, averaged, [1, 2]);
        store.Write(ParameterPart.Student, shared, [3, 4]);
        using var scope = device.Scope();
        using var student = store.Student();
        using var teacher = store.Teacher();
        Assert.That(student[averaged].ToArray<float>(), Is.EqualTo(new float[] { 1, 2 }));
        Assert.That(teacher[averaged].ToArray<float>(), Is.EqualTo(new float[] { 1, 1 }), "as built");
        Assert.That(teacher[shared].ToArray<float>(), Is.EqualTo(new float[] { 3, 4 }));
        var first = student[shared];
        Assert.That(student[shared], Is.SameAs(first), "a view makes one handle for each parameter");
        Assert.That((student.IsTeacher, teacher.IsTeacher, student[shared].IsTracked), Is.EqualTo((false, true, false)));
    }

    private int Declare(string name, Shape shape, TeacherRule rule = TeacherRule.Shared) =>
        store.Add(new ParameterDeclaration(name, shape, Initializers.Ones, rule));
}
